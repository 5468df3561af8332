import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { seedBootstrap } from '../../src/accounts/seed-bootstrap.ts';
import { verifyLedger } from '../../src/billing/verify-ledger.ts';
import { createKey } from '../../src/keys/api-keys.ts';
import { createLimitAdministration, type LimitSettings } from '../../src/limits/limit-administration.ts';
import type { Store } from '../../src/store/store.ts';
import { startRedis } from '../services/start-redis.ts';
import { createTestDatabase, openUntilTestEnds } from '../services/test-stores.ts';
import { countAnswers, type ReplicaAnswer, startReplicas } from './start-replicas.ts';

/** 10 prompt tokens at 1.15 and 64 of output at 8.00 USD per million. */
const turnNanoUsd = 10n * 1_150n + 64n * 8_000n;
const noLimits = {
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  tokensPerDay: undefined,
  concurrency: undefined,
};

async function prepareDatabase() {
  const database = await createTestDatabase('postgres');
  const store = await openUntilTestEnds(database);
  await seedBootstrap(store, { creditUsd: '100' });
  const { id: accountId } = await store.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow();
  return { store, accountId, databaseUrl: database.databaseUrl ?? '' };
}

async function limitKey(store: Store, keyId: number, change: Partial<LimitSettings>): Promise<void> {
  await createLimitAdministration(store, { configured: noLimits }).change({ scope: 'key', keyId }, change);
}

async function countCharged(store: Store, keyId: number) {
  const rows = await store.db
    .selectFrom('usage_requests')
    .select(['status', 'cost_nano_usd'])
    .where('key_id', '=', keyId)
    .execute();
  return {
    charged: rows.filter(({ status, cost_nano_usd }) => status === 'succeeded' && cost_nano_usd > 0n).length,
    spentNanoUsd: rows.reduce((sum, { cost_nano_usd }) => sum + cost_nano_usd, 0n),
  };
}

/** `count` requests at the same moment, shared out among the replicas. */
async function sendTogether(
  replicas: Awaited<ReturnType<typeof startReplicas>>,
  {
    count,
    apiKey,
    onSent,
  }: { readonly count: number; readonly apiKey: string; readonly onSent?: () => void },
): Promise<readonly ReplicaAnswer[]> {
  let answered = 0;
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const answer = await replicas[index % replicas.length]?.chat(apiKey);
      answered += 1;
      if (answered === Math.floor(count / 2)) onSent?.();
      return answer ?? { status: 0 };
    }),
  );
}

describe('two server processes over one PostgreSQL', () => {
  it('charge exactly 100 of 1,000 parallel requests when the key’s limit allows 100', {
    timeout: 120_000,
  }, async () => {
    const { store, accountId, databaseUrl } = await prepareDatabase();
    const limit = { retention: 'day', thresholdNanoUsd: 100n * turnNanoUsd } as const;
    const { secret, key } = await createKey(store, { accountId, limit });
    const replicas = await startReplicas(2, { databaseUrl });
    const answers = await sendTogether(replicas, { count: 1_000, apiKey: secret });
    expect(countAnswers(answers)).toEqual({ '200': 100, '403 key_limit_reached': 900 });
    expect(await countCharged(store, key.id)).toEqual({ charged: 100, spentNanoUsd: 100n * turnNanoUsd });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, holdCount: 0 });
  });

  it('do so as well when Redis is killed half way', { timeout: 120_000 }, async () => {
    const { store, accountId, databaseUrl } = await prepareDatabase();
    const redis = await startRedis();
    onTestFinished(async () => await redis.stop());
    const limit = { retention: 'no_reset', thresholdNanoUsd: 100n * turnNanoUsd } as const;
    const { secret, key } = await createKey(store, { accountId, limit });
    // High enough to refuse nobody: every request asks Redis.
    await limitKey(store, key.id, {
      requestsPerMinute: 5_000,
      tokensPerMinute: 10_000_000,
      concurrency: 5_000,
    });
    const replicas = await startReplicas(2, { databaseUrl, redisUrl: redis.url });
    let stopped: Promise<void> | undefined;
    const onSent = (): void => {
      stopped = redis.stop();
    };
    const answers = await sendTogether(replicas, { count: 1_000, apiKey: secret, onSent });
    await stopped;
    expect(countAnswers(answers)).toEqual({ '200': 100, '403 key_limit_reached': 900 });
    expect(await countCharged(store, key.id)).toEqual({ charged: 100, spentNanoUsd: 100n * turnNanoUsd });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, holdCount: 0 });
  });

  it.each(['postgres', 'redis'] as const)(
    'let exactly a minute’s worth of requests pass, counted in %s',
    { timeout: 120_000 },
    async (place) => {
      const { store, accountId, databaseUrl } = await prepareDatabase();
      const { secret, key } = await createKey(store, { accountId });
      await limitKey(store, key.id, { requestsPerMinute: 60 });
      const redisUrl = place === 'redis' ? inject('redisUrl') : '';
      const replicas = await startReplicas(2, { databaseUrl, redisUrl });
      const answers = await sendTogether(replicas, { count: 300, apiKey: secret });
      expect(countAnswers(answers)).toEqual({ '200': 60, '429 rate_limit_reached': 240 });
      expect(await countCharged(store, key.id)).toMatchObject({ charged: 60 });
    },
  );

  it('never run more than the concurrency limit, and free a killed server’s places', {
    timeout: 180_000,
  }, async () => {
    const { store, accountId, databaseUrl } = await prepareDatabase();
    const { secret, key } = await createKey(store, { accountId });
    await limitKey(store, key.id, { concurrency: 6 });
    const [first, second] = await startReplicas(2, { databaseUrl });
    if (first === undefined || second === undefined) throw new Error('no replicas');
    const waits = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? first : second).wait(secret)),
    );
    expect(waits.filter(({ status }) => status === 200)).toHaveLength(6);
    expect(waits.filter(({ status }) => status === 429)).toHaveLength(34);
    // Those that leave make room, on either server.
    for (const { leave } of waits) leave();
    for (let place = 0; place < 6; place += 1) await waitForRoom(() => first.wait(secret));
    const more = await Promise.all(Array.from({ length: 20 }, () => second.wait(secret)));
    expect(more.filter(({ status }) => status === 200)).toEqual([]);
    first.child.kill('SIGKILL');
    expect((await second.wait(secret)).status).toBe(429);
    // Within the lease of 30 seconds.
    for (let place = 0; place < 6; place += 1) await waitForRoom(() => second.wait(secret));
    const last = await Promise.all(Array.from({ length: 20 }, () => second.wait(secret)));
    expect(last.filter(({ status }) => status === 200)).toEqual([]);
  });
});

/** Asks until there is room; the test's time limit ends it otherwise. */
async function waitForRoom<Answer extends { readonly status: number }>(
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer.status === 200) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
