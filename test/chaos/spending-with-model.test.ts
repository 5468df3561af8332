import { expect, it } from 'vitest';
import { verifyLedger } from '../../src/billing/verify-ledger.ts';
import { createKey } from '../../src/keys/api-keys.ts';
import { startServer } from '../e2e/running-server.ts';
import { createTestDatabase, openUntilTestEnds } from '../services/test-stores.ts';

/** About five turns of `max_tokens: 16` and a short prompt. */
const thresholdNanoUsd = 5n * (16n * 8_000n + 40n * 1_150n);

it('with the real model, parallel requests spend no more than the key’s limit, and every answer is charged', {
  timeout: 120_000,
}, async () => {
  const { databaseUrl = '' } = await createTestDatabase('postgres');
  const server = await startServer({ PERIGEE_DATABASE_URL: databaseUrl, PERIGEE_QUEUE_LENGTH_MAX: '12' });
  try {
    const store = await openUntilTestEnds({ dataDir: '', databaseUrl });
    const { id: accountId } = await store.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow();
    const { secret, key } = await createKey(store, {
      accountId,
      limit: { retention: 'no_reset', thresholdNanoUsd },
    });
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const answer = await fetch(`${server.baseUrl}/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            model: 'moonshot/kimi-k2-turbo-preview',
            max_tokens: 16,
            messages: [{ role: 'user', content: 'Count to twenty.' }],
          }),
        });
        await answer.text();
        return answer.status;
      }),
    );
    const rows = await store.db
      .selectFrom('usage_requests')
      .select('cost_nano_usd')
      .where('key_id', '=', key.id)
      .where('cost_nano_usd', '>', 0n)
      .execute();
    const answeredCount = statuses.filter((status) => status === 200).length;
    expect(answeredCount).toBeGreaterThanOrEqual(5);
    expect(rows).toHaveLength(answeredCount);
    expect(rows.reduce((sum, row) => sum + row.cost_nano_usd, 0n)).toBeLessThanOrEqual(thresholdNanoUsd);
    expect(statuses.filter((status) => ![200, 403, 429].includes(status))).toEqual([]);
    expect(statuses).toContain(403);
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, holdCount: 0 });
  } finally {
    await server.stop();
  }
});
