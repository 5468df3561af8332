import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  createTestDatabase,
  openTestStore,
  openUntilTestEnds,
  storeKinds,
} from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import type { Caller, Usage } from '../chat/types.ts';
import { createKey, type KeyLimit } from '../keys/api-keys.ts';
import { createPlaygroundKeys } from '../keys/playground-keys.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { type LedgerMeterOptions, openLedgerMeter } from './ledger-meter.ts';
import type { TurnOutcome, TurnToMeter } from './meter.ts';
import { freePrices, setPrice } from './price-book.ts';
import { verifyLedger } from './verify-ledger.ts';

const modelId = 'moonshot/kimi-k2-turbo-preview';
/** 2026-11-23, a Monday, 10:07 UTC. */
const monday = Date.parse('2026-11-23T10:07:00Z');

async function addCaller(
  store: Store,
  given: { readonly creditNanoUsd: bigint; readonly limit?: KeyLimit },
): Promise<Caller> {
  const account = await createAccount(store, {
    email: `someone-${given.creditNanoUsd}@example.org`,
    password: 'long enough',
    isAdmin: false,
    openingCreditNanoUsd: given.creditNanoUsd,
  });
  const { key } = await createKey(store, { accountId: account.id, limit: given.limit ?? null });
  return { accountId: account.id, keyId: key.id, keyPrefix: key.prefix, scopes: null, origin: 'api' };
}

async function openMeter(store: Store, options: LedgerMeterOptions = {}) {
  const meter = await openLedgerMeter(store, options);
  onTestFinished(async () => await meter.close());
  return meter;
}

let turnCount = 0;

/** 1,000 prompt tokens and 100 output tokens: 1,950,000 nano-dollars at the default price. */
function turnOf(caller: Caller, change: Partial<TurnToMeter> = {}): TurnToMeter {
  turnCount += 1;
  return {
    caller,
    inferenceId: `inference-${turnCount}`,
    clientRequestId: undefined,
    modelId,
    promptTokens: 1_000,
    outputTokensMax: 100,
    choiceCount: 1,
    ...change,
  };
}

const fullTurnNanoUsd = 1_950_000n;

function outcomeOf(usage: Partial<Usage> = {}, status: TurnOutcome['status'] = 'succeeded'): TurnOutcome {
  return {
    usage: { promptTokens: 1_000, cachedTokens: 0, completionTokens: 100, source: 'engine', ...usage },
    status,
    timeToFirstTokenMs: 12.4,
    durationMs: 99.6,
  };
}

async function readBalance(store: Store) {
  return await store.db
    .selectFrom('balances')
    .select(['balance_nano_usd as balance', 'held_nano_usd as held'])
    .executeTakeFirstOrThrow()
    .then((row) => ({ balance: BigInt(row.balance), held: BigInt(row.held) }));
}

describe.each(storeKinds)('the ledger meter on %s', (kind) => {
  it('holds the worst case, charges what was measured, and writes log and sums with it', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 10_000_000n });
    const meter = await openMeter(store, { now: () => monday });
    const hold = await meter.open(turnOf(caller, { inferenceId: 'i-1', clientRequestId: 'c-1' }));
    expect(hold.outputTokensMax).toBe(100);
    expect(await readBalance(store)).toEqual({ balance: 10_000_000n, held: fullTurnNanoUsd });
    const charge = await hold.settle(outcomeOf({ cachedTokens: 400, completionTokens: 10 }));
    // 600 × 1.15 + 400 × 0.15 + 10 × 8.00 dollars per million.
    expect(charge).toEqual({ costNanoUsd: 830_000n });
    expect(await readBalance(store)).toEqual({ balance: 9_170_000n, held: 0n });
    expect(await store.db.selectFrom('usage_requests').selectAll().execute()).toMatchObject([
      {
        inference_id: 'i-1',
        client_request_id: 'c-1',
        status: 'succeeded',
        input_tokens: 1_000,
        cached_tokens: 400,
        output_tokens: 10,
        cost_nano_usd: 830_000n,
        price_id: 1,
        time_to_first_token_ms: 12,
        duration_ms: 100,
        created_at: monday,
      },
    ]);
    expect(await store.db.selectFrom('usage_rollups').selectAll().execute()).toMatchObject([
      { bucket_started_at: Date.parse('2026-11-23T10:00:00Z'), cost_nano_usd: 830_000n, requests_charged: 1 },
    ]);
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, transferCount: 2, holdCount: 0 });
  });

  it('holds the fees that a turn may incur, charges those that it did, and counts them', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 20_000_000n });
    const meter = await openMeter(store, { now: () => monday });
    const hold = await meter.open(turnOf(caller, { feesMax: { webSearches: 3, cacheHits: 1 } }));
    // Three searches at 0.004 dollars and a hit at 0.00002.
    expect((await readBalance(store)).held).toBe(fullTurnNanoUsd + 12_020_000n);
    const usage = { cachedTokens: 900, objectCachedTokens: 800, completionTokens: 10 };
    const charge = await hold.settle(outcomeOf({ ...usage, fees: { webSearches: 2, cacheHits: 1 } }));
    // 100 × 1.15 + 100 × 0.15 + 800 × 0 + 10 × 8.00 dollars per million, two searches, one hit.
    expect(charge).toEqual({ costNanoUsd: 210_000n + 8_020_000n });
    const counts = { object_cached_tokens: 800, cached_tokens: 900, web_searches: 2, cache_hits: 1 };
    expect(await store.db.selectFrom('usage_requests').selectAll().execute()).toMatchObject([counts]);
    expect(await store.db.selectFrom('usage_rollups').selectAll().execute()).toMatchObject([counts]);
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, holdCount: 0 });
  });

  it('refuses a turn whose fees the balance does not reach for', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: fullTurnNanoUsd + 3_999_999n });
    const meter = await openMeter(store);
    const lowered = await meter.open(turnOf(caller, { feesMax: { webSearches: 1, cacheHits: 0 } }));
    expect(lowered.outputTokensMax).toBe(99);
    await lowered.release({ errorCode: 'engine_failed', durationMs: 0 });
    await expect(
      meter.open(turnOf(caller, { feesMax: { webSearches: 2, cacheHits: 0 } })),
    ).rejects.toMatchObject({ code: 'insufficient_balance' });
  });

  it('gives back later what it could not give back at once, because the database was away', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 10_000_000n });
    let isAway = false;
    const flaky: Store = {
      kind: store.kind,
      db: store.db,
      close: async () => await store.close(),
      commit: async (group, options) => {
        if (isAway) throw new StoreError('unavailable', 'away');
        return await store.commit(group, options);
      },
    };
    const meter = await openMeter(flaky);
    const hold = await meter.open(turnOf(caller));
    isAway = true;
    await expect(hold.settle(outcomeOf())).rejects.toThrow('away');
    await expect(hold.release({ errorCode: 'internal_error', durationMs: 1 })).rejects.toThrow('away');
    isAway = false;
    expect((await readBalance(store)).held).toBe(fullTurnNanoUsd);
    vi.advanceTimersToNextTimer();
    await expect.poll(async () => await readBalance(store)).toEqual({ balance: 10_000_000n, held: 0n });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, holdCount: 0 });
  });

  it('closes without the database too, and says what stayed behind', async () => {
    const store = await openTestStore(kind);
    const away = new StoreError('unavailable', 'away');
    let isAway = false;
    const commit: Store['commit'] = async (group, options) => {
      if (isAway) throw away;
      return await store.commit(group, options);
    };
    const errors: unknown[] = [];
    const flaky = { kind: store.kind, db: store.db, close: async () => undefined, commit };
    const meter = await openLedgerMeter(flaky, { onError: (error) => errors.push(error) });
    isAway = true;
    await meter.close();
    expect(errors).toEqual([away]);
  });

  it('charges nothing for a turn that failed, and logs it', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 10_000_000n });
    const hold = await (await openMeter(store)).open(turnOf(caller));
    await hold.release({ errorCode: 'engine_failed', durationMs: 5 });
    await hold.release({ errorCode: 'engine_failed', durationMs: 5 });
    expect(await readBalance(store)).toEqual({ balance: 10_000_000n, held: 0n });
    expect(await store.db.selectFrom('usage_requests').selectAll().execute()).toMatchObject([
      { status: 'failed', error_code: 'engine_failed', cost_nano_usd: 0n },
    ]);
    expect(await verifyLedger(store)).toMatchObject({ isSound: true });
  });

  it('charges once, however often it is settled or released afterwards', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 10_000_000n });
    const hold = await (await openMeter(store)).open(turnOf(caller));
    const charges = await Promise.all([hold.settle(outcomeOf()), hold.settle(outcomeOf())]);
    await hold.release({ errorCode: 'engine_failed', durationMs: 5 });
    expect(charges).toEqual([{ costNanoUsd: fullTurnNanoUsd }, { costNanoUsd: fullTurnNanoUsd }]);
    expect(await readBalance(store)).toEqual({ balance: 10_000_000n - fullTurnNanoUsd, held: 0n });
  });

  it('refuses a second turn under one inference id', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 10_000_000n });
    const meter = await openMeter(store);
    await meter.open(turnOf(caller, { inferenceId: 'same' }));
    await expect(meter.open(turnOf(caller, { inferenceId: 'same' }))).rejects.toMatchObject({
      kind: 'unique',
    });
    expect(await readBalance(store)).toMatchObject({ held: fullTurnNanoUsd });
  });

  it('charges a client that left for what was generated', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 10_000_000n });
    const hold = await (await openMeter(store)).open(turnOf(caller));
    expect(await hold.settle(outcomeOf({ completionTokens: 1 }, 'client_left'))).toEqual({
      costNanoUsd: 1_158_000n,
    });
    expect(await store.db.selectFrom('usage_requests').selectAll().execute()).toMatchObject([
      { status: 'succeeded', is_client_left: 1 },
    ]);
  });

  it('lowers the output budget to what the balance pays for, down to one token per choice', async () => {
    const store = await openTestStore(kind);
    // The prompt, and 10 tokens (of 100 asked) at 8 dollars per million.
    const caller = await addCaller(store, { creditNanoUsd: 1_150_000n + 80_000n });
    const meter = await openMeter(store);
    const first = await meter.open(turnOf(caller));
    expect(first.outputTokensMax).toBe(10);
    await first.release({ errorCode: 'engine_failed', durationMs: 0 });
    const shared = await meter.open(turnOf(caller, { outputTokensMax: 400, choiceCount: 4 }));
    expect(shared.outputTokensMax).toBe(2);
    await shared.release({ errorCode: 'engine_failed', durationMs: 0 });
    await expect(
      meter.open(turnOf(caller, { outputTokensMax: 1_100, choiceCount: 11 })),
    ).rejects.toMatchObject({
      code: 'insufficient_balance',
      status: 403,
    });
    expect(await readBalance(store)).toMatchObject({ held: 0n });
  });

  it('takes what another turn has just given back', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: fullTurnNanoUsd });
    const commits: (() => Promise<void>)[] = [];
    const meter = await openMeter({
      kind: store.kind,
      db: store.db,
      commit: async (group, options) => {
        await commits.shift()?.();
        return await store.commit(group, options);
      },
      close: async () => await store.close(),
    });
    const other = await meter.open(turnOf(caller));
    // Between the hold that is refused and the look at what is free.
    commits.push(
      async () => undefined,
      async () => await other.release({ errorCode: 'engine_failed', durationMs: 0 }),
    );
    expect((await meter.open(turnOf(caller))).outputTokensMax).toBe(100);
    expect(await readBalance(store)).toMatchObject({ held: fullTurnNanoUsd });
  });

  it.each([
    ['day', '2026-11-23T23:59:59.999Z', '2026-11-24T00:00:00.000Z'],
    ['week', '2026-11-29T23:59:59.999Z', '2026-11-30T00:00:00.000Z'],
    ['month', '2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00.000Z'],
  ] as const)('keeps a %s limit until its last millisecond and not beyond', async (retention, last, next) => {
    const store = await openTestStore(kind);
    const limit = { retention, thresholdNanoUsd: fullTurnNanoUsd };
    const caller = await addCaller(store, { creditNanoUsd: 10_000_000n, limit });
    let now = monday;
    const meter = await openMeter(store, { now: () => now });
    await (await meter.open(turnOf(caller))).settle(outcomeOf());
    now = Date.parse(last);
    await expect(meter.open(turnOf(caller))).rejects.toMatchObject({
      code: 'key_limit_reached',
      status: 403,
    });
    now = Date.parse(next);
    await (await meter.open(turnOf(caller))).settle(outcomeOf());
    await expect(meter.open(turnOf(caller))).rejects.toMatchObject({ code: 'key_limit_reached' });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true });
  });

  it('names the limit as the reason when the balance would pay for a smaller turn', async () => {
    const store = await openTestStore(kind);
    const limit = { retention: 'day', thresholdNanoUsd: fullTurnNanoUsd } as const;
    const caller = await addCaller(store, { creditNanoUsd: 2n * fullTurnNanoUsd - 1n, limit });
    const meter = await openMeter(store);
    await (await meter.open(turnOf(caller))).settle(outcomeOf());
    await expect(meter.open(turnOf(caller))).rejects.toMatchObject({ code: 'key_limit_reached' });
  });

  it('never resets a limit without a period', async () => {
    const store = await openTestStore(kind);
    const limit = { retention: 'no_reset', thresholdNanoUsd: fullTurnNanoUsd } as const;
    const caller = await addCaller(store, { creditNanoUsd: 10_000_000n, limit });
    let now = monday;
    const meter = await openMeter(store, { now: () => now });
    await (await meter.open(turnOf(caller))).settle(outcomeOf());
    now = Date.parse('2036-01-01T00:00:00Z');
    await expect(meter.open(turnOf(caller))).rejects.toMatchObject({ code: 'key_limit_reached' });
  });

  it('takes an empty price the same way, and charges nothing', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 0n });
    const meter = await openMeter(store);
    const hold = await meter.open(turnOf(caller, { modelId: 'without/price' }));
    expect(await hold.settle(outcomeOf())).toEqual({ costNanoUsd: 0n });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, transferCount: 0 });
  });

  it('charges a running turn at the price it was held at, the next one at the new price', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 100_000_000n });
    let ms = 0;
    const meter = await openMeter(store, { monotonicNow: () => ms });
    const before = await meter.open(turnOf(caller));
    const prices = { ...freePrices, inputNanoUsd: 1_000_000n };
    await setPrice(store, modelId, { prices, now: () => monday });
    ms = 1_000;
    const after = await meter.open(turnOf(caller));
    expect(await before.settle(outcomeOf())).toEqual({ costNanoUsd: fullTurnNanoUsd });
    expect(await after.settle(outcomeOf())).toEqual({ costNanoUsd: 1_000n });
    const rows = await store.db.selectFrom('usage_requests').select('price_id').orderBy('price_id').execute();
    expect(rows).toEqual([{ price_id: 1 }, { price_id: 2 }]);
  });

  it('charges at most the hold when more was measured than the balance has', async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: fullTurnNanoUsd });
    const hold = await (await openMeter(store)).open(turnOf(caller));
    expect(await hold.settle(outcomeOf({ promptTokens: 9_000 }))).toEqual({ costNanoUsd: fullTurnNanoUsd });
    expect(await readBalance(store)).toEqual({ balance: 0n, held: 0n });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true });
  });

  it("charges more than the hold only as far as the key's limit goes", async () => {
    const store = await openTestStore(kind);
    const limit = { retention: 'day', thresholdNanoUsd: 3n * fullTurnNanoUsd } as const;
    const caller = await addCaller(store, { creditNanoUsd: 1_000_000_000n, limit });
    const meter = await openMeter(store, { now: () => monday });
    const [first, second] = [await meter.open(turnOf(caller)), await meter.open(turnOf(caller))];
    // 1,150 nano-dollars a token: what is left of the limit reaches for 500 more, and then for none.
    const more = outcomeOf({ promptTokens: 1_500 });
    expect(await first.settle(more)).toEqual({ costNanoUsd: fullTurnNanoUsd + 575_000n });
    expect(await second.settle(outcomeOf({ promptTokens: 9_000 }))).toEqual({ costNanoUsd: fullTurnNanoUsd });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true });
  });

  it('lets exactly 100 of 1,000 parallel turns through when the balance pays for 100', {
    timeout: 120_000,
  }, async () => {
    const store = await openTestStore(kind);
    const caller = await addCaller(store, { creditNanoUsd: 100n * fullTurnNanoUsd });
    const meter = await openMeter(store);
    const turns = Array.from({ length: 1_000 }, async () => {
      const hold = await meter.open(turnOf(caller));
      return await hold.settle(outcomeOf());
    });
    const outcomes = await Promise.allSettled(turns);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(900);
    expect(new Set(refused.map((outcome) => outcome.reason.code))).toEqual(new Set(['insufficient_balance']));
    expect(await readBalance(store)).toEqual({ balance: 0n, held: 0n });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, transferCount: 101 });
  });

  it('keeps a key to its limit under parallel turns through several processes', {
    timeout: 120_000,
  }, async () => {
    const database = await createTestDatabase(kind);
    const stores = await Promise.all([openUntilTestEnds(database), openUntilTestEnds(database)]);
    const limit = { retention: 'month', thresholdNanoUsd: 10n * fullTurnNanoUsd } as const;
    const caller = await addCaller(stores[0], { creditNanoUsd: 10n ** 12n, limit });
    const meters = [await openMeter(stores[0]), await openMeter(stores[1])] as const;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, async (_, index) => {
        const hold = await meters[index % 2 === 0 ? 0 : 1].open(turnOf(caller));
        return await hold.settle(outcomeOf());
      }),
    );
    const charged = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(charged).toHaveLength(10);
    expect(await verifyLedger(stores[1])).toMatchObject({ isSound: true, transferCount: 11 });
  });

  it('gives back what a dead process held, once its lease has ended', async () => {
    const database = await createTestDatabase(kind);
    const store = await openUntilTestEnds(database);
    const caller = await addCaller(store, { creditNanoUsd: 10_000_000n });
    let now = monday;
    const dead = await openLedgerMeter(store, { serverId: 'dead', now: () => now });
    await dead.open(turnOf(caller));
    await dead.open(turnOf(await createPlaygroundKeys(store).callerOf(caller.accountId)));
    // It is killed here: its lease is never renewed. On SQLite the next server knows at once that it is alone.
    now += kind === 'sqlite' ? 1 : 30_001;
    await openMeter(store, { serverId: 'next', now: () => now });
    expect(await readBalance(store)).toEqual({ balance: 10_000_000n, held: 0n });
    const requests = store.db.selectFrom('usage_requests').selectAll().orderBy('origin');
    expect(await requests.execute()).toMatchObject([
      { status: 'failed', origin: 'api' },
      { status: 'failed', origin: 'playground' },
    ]);
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, holdCount: 0 });
    await dead.close();
  });
});
