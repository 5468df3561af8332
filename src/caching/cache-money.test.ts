/** The money of context caches over time that passes as it likes: late looks, downtimes, funds that end. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import { createPriceBook } from '../billing/price-book.ts';
import { createResourceBilling } from '../billing/resource-billing.ts';
import { releaseExpiredResourceHolds } from '../billing/resource-holds.ts';
import { costOfCacheCreation, costOfCacheStorage } from '../billing/turn-cost.ts';
import { verifyLedger } from '../billing/verify-ledger.ts';
import { createKey } from '../keys/api-keys.ts';
import { claim } from './cache-leases.ts';
import { type CacheMoney, createCacheMoney, creationHoldId } from './cache-money.ts';
import { type CacheRow, deleteStored, findRow, insertRow } from './cache-rows.ts';

vi.setConfig({ testTimeout: 300_000 });

const modelId = 'moonshot/kimi-k2-turbo-preview';
const startMs = Date.UTC(2026, 0, 1);

async function setUp(kind: (typeof storeKinds)[number], openingCreditNanoUsd: bigint) {
  const store = await openTestStore(kind);
  let nowMs = startMs;
  const now = () => nowMs;
  const person = { email: 'ada@example.org', password: 'long enough', isAdmin: false, openingCreditNanoUsd };
  const { id: accountId } = await createAccount(store, person, now);
  const { key } = await createKey(store, { accountId }, now);
  const keyId = key.id;
  const prices = createPriceBook(store, now);
  const money = createCacheMoney({ billing: createResourceBilling(store, now), prices, now });
  const price = await prices.find(modelId);

  /** Creates an object that is ready at once. */
  const open = async (id: string, tokens: number, lifeSeconds: number): Promise<void> => {
    const expiresAt = nowMs + lifeSeconds * 1_000;
    const life = { id, accountId, keyId, modelId, life: 1, tokens, expiresAt };
    const row = {
      id,
      account_id: accountId,
      key_id: keyId,
      model_id: modelId,
      messages: '[]',
      tools: null,
      name: null,
      description: null,
      metadata: '{}',
      tokens,
      backing: 'pinned' as const,
      created_at: nowMs,
      expires_at: expiresAt,
      hold_id: creationHoldId(id, 1),
    };
    await money.reserveCreation(life, [insertRow(row)]);
    expect(await money.beginStorage(await read(id), { tokens })).toBe('stored');
  };
  const read = async (id: string): Promise<CacheRow> => {
    const row = await findRow(store, id);
    if (row === undefined) throw new Error(`${id} is gone`);
    return row;
  };
  /** What the background does in one round, after what the sweep of expired holds does. */
  const tend = async (id: string): Promise<void> => {
    await releaseExpiredResourceHolds(store, nowMs);
    for (;;) {
      const row = await claim(store, id, { serverId: 'one', now: nowMs });
      if (row?.status !== 'ready') return;
      await money.settleStorage(row);
    }
  };
  const chargedFor = async (id: string): Promise<bigint> => {
    const rows = await store.db
      .selectFrom('ledger_transfers')
      .select('amount_nano_usd')
      .where('reference_id', '=', id)
      .execute();
    return rows.reduce((sum, row) => sum + row.amount_nano_usd, 0n);
  };
  const balance = async () =>
    await store.db
      .selectFrom('balances')
      .selectAll()
      .where('account_id', '=', accountId)
      .executeTakeFirstOrThrow();
  const advance = (seconds: number): void => {
    nowMs += seconds * 1_000;
  };
  return { store, money, price, open, read, tend, chargedFor, balance, advance, accountId, now };
}

/** Some minutes, or more than a hold outlives a server that is down. */
const pause = fc.oneof(fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 80_000, max: 400_000 }));
const life = fc.record({
  tokens: fc.integer({ min: 1, max: 300_000 }),
  lifeSeconds: fc.integer({ min: 1, max: 500_000 }),
  pauses: fc.array(pause, { minLength: 1, maxLength: 8 }),
  isDeleted: fc.boolean(),
});

async function end(money: CacheMoney, row: CacheRow): Promise<void> {
  if (row.status === 'ready') await money.endStorage(row, deleteStored(row));
}

describe('the storage of a context cache', () => {
  it('costs exactly its seconds, however often and late they are counted', async () => {
    const property = fc.asyncProperty(life, async ({ tokens, lifeSeconds, pauses, isDeleted }) => {
      const { money, price, store, open, read, tend, chargedFor, balance, advance } = await setUp(
        'sqlite',
        10n ** 15n,
      );
      await open('cache-1', tokens, lifeSeconds);
      let elapsed = 0;
      for (const seconds of pauses) {
        advance(seconds);
        elapsed += seconds;
        await tend('cache-1');
      }
      if (isDeleted) await end(money, await read('cache-1'));
      const toSecond = Math.min(elapsed, lifeSeconds);
      const storage = (seconds: number) =>
        costOfCacheStorage(price, { tokens, fromSecond: 0, toSecond: seconds });
      const charged = (await chargedFor('cache-1')) - costOfCacheCreation(price, tokens);
      if (isDeleted || elapsed >= lifeSeconds) {
        expect(charged).toBe(storage(toSecond));
        expect((await balance()).held_nano_usd).toBe(0n);
      } else {
        // Settled up to the last full hour that was held.
        expect(charged).toBeLessThanOrEqual(storage(toSecond));
        expect(charged).toBeGreaterThanOrEqual(storage(Math.max(0, toSecond - 3_600)));
      }
      expect((await verifyLedger(store)).problems).toEqual([]);
    });
    await fc.assert(property, { numRuns: 12 });
  });

  it('ends with the money, to the last second that it pays for, and leaves no debt', async () => {
    const poor = fc.record({ life, cents: fc.integer({ min: 0, max: 300 }) });
    const property = fc.asyncProperty(poor, async ({ life: { tokens, lifeSeconds, pauses }, cents }) => {
      const creation = (1_150_000_000n * BigInt(tokens) + 999_999n) / 1_000_000n;
      const hour = (BigInt(tokens) * 10_000_000n * 60n) / 1_000_000n + 1n;
      const opening = creation + hour + BigInt(cents) * 10_000_000n;
      const { price, store, open, read, tend, chargedFor, balance, advance } = await setUp('sqlite', opening);
      await open('cache-1', tokens, lifeSeconds);
      let elapsed = 0;
      for (const seconds of pauses) {
        advance(seconds);
        elapsed += seconds;
        await tend('cache-1');
        expect((await balance()).balance_nano_usd).toBeGreaterThanOrEqual((await balance()).held_nano_usd);
      }
      const row = await read('cache-1');
      const stored = (await chargedFor('cache-1')) - creation;
      expect(stored).toBe(
        costOfCacheStorage(price, { tokens, fromSecond: 0, toSecond: row.charged_seconds }),
      );
      if (row.status === 'inactive') {
        const isOver = row.charged_seconds === lifeSeconds;
        const next = costOfCacheStorage(price, {
          tokens,
          fromSecond: row.charged_seconds,
          toSecond: row.charged_seconds + 1,
        });
        // Either its time was over, or there was no money for one second more.
        expect(isOver || (await balance()).balance_nano_usd < next).toBe(true);
        expect(row.charged_seconds).toBeLessThanOrEqual(Math.min(elapsed, lifeSeconds));
        expect((await balance()).held_nano_usd).toBe(0n);
      }
      expect((await verifyLedger(store)).problems).toEqual([]);
    });
    await fc.assert(property, { numRuns: 12 });
  });
});

describe.each(storeKinds)('two replicas on %s', (kind) => {
  it('charge a second of storage once', async () => {
    const { money, price, store, open, read, chargedFor, advance } = await setUp(kind, 10n ** 12n);
    await open('cache-1', 100_000, 7_200);
    advance(3_600);
    const row = await read('cache-1');
    const outcomes = await Promise.all([money.settleStorage(row), money.settleStorage(row)]);
    expect(outcomes.sort()).toEqual(['changed', 'goes-on']);
    const hour = costOfCacheStorage(price, { tokens: 100_000, fromSecond: 0, toSecond: 3_600 });
    expect((await chargedFor('cache-1')) - costOfCacheCreation(price, 100_000)).toBe(hour);
    expect((await verifyLedger(store)).problems).toEqual([]);
  });
});
