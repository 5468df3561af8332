import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type App, buildApp } from './build-app.ts';
import { loadConfig } from './config.ts';

/** An upstream that nobody answers for: the server starts, and no model is loaded. */
const upstream = {
  PERIGEE_ENGINES:
    '{"away": {"kind": "openai-compatible", "base_url": "http://127.0.0.1:1/v1", "model": "m"}}',
  PERIGEE_MODELS: '{"test/model": {"engine": "away"}}',
  PERIGEE_MODEL: 'none',
};

async function makeDataDir(): Promise<string> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'perigee-app-'));
  onTestFinished(async () => await rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

const build = async (dataDir: string, environment: Readonly<Record<string, string>>): Promise<App> =>
  await buildApp(
    loadConfig({
      flags: { dataDir },
      environment: { PERIGEE_PORT: '0', ...upstream, ...environment },
    }),
    {
      onModelProgress: () => undefined,
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    },
  );

it('a start whose port is taken leaves the first secrets to the next one', async () => {
  const dataDir = await makeDataDir();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const refused = await build(dataDir, { PERIGEE_PORT: String(port) });
  await expect(refused.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await refused.close(0);
  expect(refused.firstStart).toBeUndefined();
  const app = await build(dataDir, {});
  onTestFinished(async () => void (await app.close(0)));
  await app.listen();
  expect(app.firstStart?.apiKey).toMatch(/^\S{32,}$/);
});
