import { describe, expect, it } from 'vitest';
import { createTestDatabase, openUntilTestEnds } from '../test/services/test-stores.ts';
import { checkReadiness } from './check-readiness.ts';
import type { EngineHealth } from './engines/engine.ts';
import { createModelDirectory } from './engines/registry.ts';
import { createScriptedEngine } from './engines/scripted/scripted-engine.ts';

const serve = (health: EngineHealth) => {
  const engine = createScriptedEngine({ script: () => [], health });
  return createModelDirectory([{ id: 'acme/m', wireName: 'm', aliases: [], engine, created: 0 }]);
};

const noRedis = { isRedisUsed: () => undefined };

describe.each(['sqlite', 'postgres'] as const)('readiness on %s', (kind) => {
  it('needs every engine and the database', async () => {
    const store = await openUntilTestEnds(await createTestDatabase(kind));
    expect(await checkReadiness(serve({ state: 'ready' }), store, noRedis)).toEqual({
      isReady: true,
      checks: [
        { name: 'model acme/m', state: 'ready', detail: '' },
        { name: 'store', state: 'ready', detail: '' },
      ],
    });
    const loading = serve({ state: 'loading', detail: 'Wait.' });
    expect(await checkReadiness(loading, store, noRedis)).toMatchObject({
      isReady: false,
      checks: [{ state: 'loading', detail: 'Wait.' }, { state: 'ready' }],
    });
  });

  it('ends when the database is gone, and says so without its words', async () => {
    const store = await openUntilTestEnds(await createTestDatabase(kind));
    await store.close();
    expect(await checkReadiness(serve({ state: 'ready' }), store, noRedis)).toEqual({
      isReady: false,
      checks: [
        { name: 'model acme/m', state: 'ready', detail: '' },
        { name: 'store', state: 'failed', detail: expect.stringMatching(/^The database does not answer\./) },
      ],
    });
  });

  it('shows a lost Redis, and lasts without it', async () => {
    const store = await openUntilTestEnds(await createTestDatabase(kind));
    const check = (isUsed: boolean) =>
      checkReadiness(serve({ state: 'ready' }), store, { isRedisUsed: () => isUsed });
    expect((await check(true)).checks.at(-1)).toEqual({ name: 'redis', state: 'ready', detail: '' });
    expect(await check(false)).toMatchObject({
      isReady: true,
      checks: [{ name: 'model acme/m' }, { name: 'store' }, { name: 'redis', state: 'degraded' }],
    });
  });
});
