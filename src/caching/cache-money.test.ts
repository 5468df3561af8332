/** The money of context caches over time that passes as it likes: late looks, downtimes, funds that end. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { storeKinds } from '../../test/services/test-stores.ts';
import { costOfCacheCreation, costOfCacheStorage } from '../billing/turn-cost.ts';
import { verifyLedger } from '../billing/verify-ledger.ts';
import { openCacheBooks } from './__fixtures__/open-cache-books.ts';
import type { CacheMoney } from './cache-money.ts';
import { type CacheRow, deleteStored, deleteUnstored, revive } from './cache-rows.ts';

vi.setConfig({ testTimeout: 300_000 });

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
      const { money, price, store, open, read, tend, chargedFor, balance, advance } = await openCacheBooks(
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
      const { price, store, open, read, tend, chargedFor, balance, advance } = await openCacheBooks(
        'sqlite',
        opening,
      );
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

describe.each(storeKinds)('what happens to a context cache between a look and a write, on %s', (kind) => {
  const nextLife = (row: CacheRow, expiresAt: number) => ({
    object: {
      id: row.id,
      accountId: row.account_id,
      keyId: row.key_id,
      modelId: row.model_id,
      life: row.life + 1,
      tokens: row.tokens,
      expiresAt,
    },
    revival: revive(row, {
      expiresAt,
      holdId: `${row.id}:creation:${row.life + 1}`,
      now: expiresAt - 60_000,
    }),
  });

  it('holds nothing for a life of one that has just been deleted', async () => {
    const { money, store, open, read, tend, balance, advance, now } = await openCacheBooks(kind, 10n ** 12n);
    await open('cache-1', 1_000, 60);
    advance(120);
    await tend('cache-1');
    const row = await read('cache-1');
    expect(row.status).toBe('inactive');
    await store.commit(deleteUnstored(row));
    const { object, revival } = nextLife(row, now() + 60_000);
    expect(await money.reserveCreation(object, [revival])).toBe(false);
    expect((await balance()).held_nano_usd).toBe(0n);
  });

  it('deletes no life that has just begun, whose money is held', async () => {
    const { money, store, open, read, tend, balance, advance, now } = await openCacheBooks(kind, 10n ** 12n);
    await open('cache-1', 1_000, 60);
    advance(120);
    await tend('cache-1');
    const seen = await read('cache-1');
    const { object, revival } = nextLife(seen, now() + 60_000);
    expect(await money.reserveCreation(object, [revival])).toBe(true);
    expect((await store.commit(deleteUnstored(seen))).isCommitted).toBe(false);
    const revived = await read('cache-1');
    expect(await money.releaseCreation(revived, deleteUnstored(revived))).toBe(true);
    expect((await balance()).held_nano_usd).toBe(0n);
    await expect(read('cache-1')).rejects.toThrow('gone');
  });

  it('ends none whose end has just been moved', async () => {
    const { money, store, open, read, advance, now } = await openCacheBooks(kind, 10n ** 12n);
    await open('cache-1', 1_000, 60);
    advance(60);
    const seen = await read('cache-1');
    const expiresAt = now() + 600_000;
    await store.db.updateTable('context_caches').set({ expires_at: expiresAt }).execute();
    expect(await money.settleStorage(seen)).toBe('changed');
    expect(await read('cache-1')).toMatchObject({ status: 'ready', expires_at: expiresAt });
  });
});

describe.each(storeKinds)('two replicas on %s', (kind) => {
  it('charge a second of storage once', async () => {
    const { money, price, store, open, read, chargedFor, advance } = await openCacheBooks(kind, 10n ** 12n);
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
