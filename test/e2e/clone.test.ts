/** What README promises to a newcomer: a clone, its dependencies and `npm start` are all it takes. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../../bench/measured-process.ts';
import packageManifest from '../../package.json' with { type: 'json' };
import { startPerigee } from '../page-examples/start-perigee.ts';

const root = path.resolve(import.meta.dirname, '../..');
let folder = '';
let clone = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'perigee-clone-'));
  clone = path.join(folder, 'perigee');
  // What a commit of the working tree would hold: nothing that git ignores can be missed by the program.
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const name of listed.split('\0').filter((each) => each !== '' && existsSync(path.join(root, each)))) {
    mkdirSync(path.dirname(path.join(clone, name)), { recursive: true });
    cpSync(path.join(root, name), path.join(clone, name));
  }
  // The pages were built before the tests; a clone would build them now, once.
  cpSync(path.join(root, 'web/dist'), path.join(clone, 'web/dist'), { recursive: true });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a fresh clone', () => {
  it('has a lockfile that `npm ci` accepts', () => {
    const install = () =>
      execFileSync('npm', ['ci', '--dry-run', '--offline'], { cwd: clone, stdio: 'pipe' });
    expect(install).not.toThrow();
  }, 120_000);

  describe('with its dependencies', () => {
    // As `npm ci` would have put them there.
    beforeAll(() => symlinkSync(path.join(root, 'node_modules'), path.join(clone, 'node_modules')));

    it('has every command as `npx perigee …`, without a look at the registry', () => {
      const environment = { npm_config_cache: path.join(folder, 'npm-cache'), npm_config_offline: 'true' };
      const version = execFileSync('npx', ['perigee', '--version'], {
        cwd: clone,
        encoding: 'utf8',
        env: { ...process.env, ...environment },
      });
      expect(version.trim()).toBe(packageManifest.version);
    }, 120_000);

    it('serves a chat completion after `npm start -- --port …`', async () => {
      const port = String(await findFreePort());
      const server = await startPerigee({
        dataDir: path.join(folder, 'data'),
        environment: { PERIGEE_PORT: '', PERIGEE_THREADS: '1' },
        program: { file: 'npm', arguments: ['start', '--', '--port', port], cwd: clone },
      });
      try {
        expect(new URL(server.url).port).toBe(port);
        await server.ready;
        const response = await fetch(`${server.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            model: 'moonshot/kimi-k2-turbo-preview',
            messages: [{ role: 'user', content: 'Hello' }],
            max_tokens: 4,
          }),
        });
        expect(response.status).toBe(200);
        expect(await response.json()).toMatchObject({ choices: [{ message: { role: 'assistant' } }] });
      } finally {
        await server.stop();
      }
      // Nobody is left who listens.
      await expect(fetch(`${server.url}/health`)).rejects.toThrow();
    }, 240_000);
  });
});
