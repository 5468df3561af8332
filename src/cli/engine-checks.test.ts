import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config.ts';
import { s3Access, startS3 } from '../files/__fixtures__/s3-server.ts';
import { engineChecks } from './engine-checks.ts';

describe('the storage of uploaded files', () => {
  const filesCheck = engineChecks.find(({ name }) => name === 'Uploaded files');
  const check = (settings: Record<string, string>) =>
    filesCheck?.run(loadConfig({ flags: {}, environment: settings }));
  const access = {
    PERIGEE_FILES_S3_REGION: s3Access.region,
    PERIGEE_FILES_S3_ACCESS_KEY_ID: s3Access.accessKeyId,
    PERIGEE_FILES_S3_SECRET_ACCESS_KEY: s3Access.secretAccessKey,
  };

  it('is the data folder by default', async () => {
    const detail = expect.stringMatching(/^\/data\/files$/);
    expect(await check({ PERIGEE_DATA_DIR: '/data' })).toEqual({ state: 'ok', detail });
  });

  it('is asked for one page, and left as it was', async () => {
    const { url, objects } = await startS3();
    expect(await check({ ...access, PERIGEE_FILES_S3_URL: url })).toEqual({ state: 'ok', detail: url });
    expect(objects.size).toBe(0);
  });

  it.each([
    ['a wrong key', { PERIGEE_FILES_S3_SECRET_ACCESS_KEY: 'another' }, '403 SignatureDoesNotMatch'],
    ['no such bucket', { PERIGEE_FILES_S3_URL: '/elsewhere' }, '404 NoSuchBucket'],
    ['nobody there', { PERIGEE_FILES_S3_URL: 'http://127.0.0.1:9/bucket' }, 'ECONNREFUSED'],
  ])('fails and says why: %s', async (_name, changes, reason) => {
    const { url } = await startS3();
    const settings = { ...access, PERIGEE_FILES_S3_URL: url, ...changes };
    const result = await check({
      ...settings,
      PERIGEE_FILES_S3_URL: new URL(settings.PERIGEE_FILES_S3_URL, url).href,
    });
    expect(result).toMatchObject({ state: 'fail', detail: expect.stringContaining(reason) });
    expect(result?.mend).toContain('files_s3_url');
    expect(JSON.stringify(result)).not.toContain(settings.PERIGEE_FILES_S3_SECRET_ACCESS_KEY);
  });
});
