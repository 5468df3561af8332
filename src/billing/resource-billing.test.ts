import { describe, expect, it, onTestFinished } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import { createKey, type KeyLimit } from '../keys/api-keys.ts';
import { type Store, statement } from '../store/store.ts';
import { createUsageReports } from '../usage/usage-reports.ts';
import { openLedgerMeter } from './ledger-meter.ts';
import { createManualBookings } from './manual-bookings.ts';
import { createResourceBilling, type ResourceCharge } from './resource-billing.ts';
import type { Resource } from './resource-holds.ts';
import { verifyLedger } from './verify-ledger.ts';

const now = Date.parse('2026-11-23T10:07:00Z');
const hour = { holdId: 'cache-1:hour-1', amountNanoUsd: 600_000n, expiresAt: now + 3_600_000 };

async function openBooks(kind: (typeof storeKinds)[number], limit: KeyLimit | null = null) {
  const store = await openTestStore(kind);
  const account = await createAccount(store, {
    email: 'caches@example.org',
    password: 'long enough',
    isAdmin: false,
    openingCreditNanoUsd: 1_000_000n,
  });
  const { key } = await createKey(store, { accountId: account.id, limit });
  const resource: Resource = {
    resourceId: 'cache-1',
    accountId: account.id,
    keyId: key.id,
    modelId: 'moonshot/kimi-k2-turbo-preview',
  };
  return { store, resource, billing: createResourceBilling(store, () => now) };
}

function chargeOf(costNanoUsd: bigint, onceKey = 'cache-1:storage:0'): ResourceCharge {
  return { onceKey, kind: 'cache_storage', costNanoUsd, priceId: 1, tokens: 1_000 };
}

async function readMoney(store: Store) {
  const { balance_nano_usd: balance, held_nano_usd: held } = await store.db
    .selectFrom('balances')
    .selectAll()
    .executeTakeFirstOrThrow();
  const key = await store.db.selectFrom('api_keys').selectAll().executeTakeFirstOrThrow();
  return { balance, held, keyHeld: key.window_held_nano_usd, keySpent: key.window_spent_nano_usd };
}

describe.each(storeKinds)('charges of resources on %s', (kind) => {
  it('are held ahead, settled once, and are MODEL_USAGE of the resource', async () => {
    const { store, resource, billing } = await openBooks(kind);
    await billing.reserve(resource, hour);
    expect(await readMoney(store)).toMatchObject({ held: 600_000n, keyHeld: 600_000n });
    const next = { ...hour, holdId: 'cache-1:hour-2', amountNanoUsd: 100_000n };
    const settlement = { resource, holdId: hour.holdId, charge: chargeOf(250_000n), next };
    expect(await billing.settle(settlement)).toEqual({ isBooked: true });
    expect(await readMoney(store)).toEqual({
      balance: 750_000n,
      held: 100_000n,
      keyHeld: 100_000n,
      keySpent: 250_000n,
    });
    const transfers = await store.db
      .selectFrom('ledger_transfers')
      .selectAll()
      .where('type', '=', 'MODEL_USAGE')
      .execute();
    expect(transfers).toMatchObject([
      { reference_id: 'cache-1', amount_nano_usd: 250_000n, once_key: 'resource:cache-1:storage:0' },
    ]);
    expect(await store.db.selectFrom('usage_rollups').selectAll().execute()).toMatchObject([
      { cost_nano_usd: 250_000n, requests_charged: 0, requests_succeeded: 0, requests_failed: 0 },
    ]);
    expect(await billing.settle(settlement)).toEqual({ isBooked: false, reason: 'not_held' });
    expect(await billing.release('cache-1:hour-2')).toBe(true);
    expect(await billing.release('cache-1:hour-2')).toBe(false);
    expect(await verifyLedger(store)).toMatchObject({ problems: [], holdCount: 0 });
  });

  it('are spend of their key and model in every report, and no request', async () => {
    const { store, resource, billing } = await openBooks(kind);
    await billing.settle({ resource, charge: chargeOf(10_000n) });
    const usage = createUsageReports(store);
    const hours = { from: now - 3_600_000, to: now + 3_600_000 };
    const minutes = { from: now - 60_000, to: now + 1 };
    for (const span of [hours, minutes]) {
      const { total, models } = await usage.report(resource.keyId, span);
      expect(total).toMatchObject({ costNanoUsd: 10_000n, chargedCount: 0, succeededCount: 0 });
      expect(models).toMatchObject([{ modelId: resource.modelId, costNanoUsd: 10_000n }]);
    }
    const before = { from: now - 60_000, to: now };
    expect((await usage.report(resource.keyId, before)).total.costNanoUsd).toBe(0n);
  });

  it('are booked once under one key, however often they are tried side by side', async () => {
    const { store, resource, billing } = await openBooks(kind);
    const results = await Promise.all(
      Array.from({ length: 5 }, () => billing.settle({ resource, charge: chargeOf(10_000n) })),
    );
    expect(results.filter(({ isBooked }) => isBooked)).toHaveLength(1);
    expect(results).toContainEqual({ isBooked: false, reason: 'already_charged' });
    expect(await readMoney(store)).toMatchObject({ balance: 990_000n, held: 0n });
    expect((await verifyLedger(store)).problems).toEqual([]);
  });

  it('are given back once each: a later refund gives back what the resource has cost since', async () => {
    const { store, resource, billing } = await openBooks(kind);
    const { accountId, resourceId: inferenceId } = resource;
    const order = { accountId, inferenceId, note: null, bookedByAccountId: null };
    const refund = async () => await createManualBookings(store).refund(order);
    const givenBack = { code: 'conflict', message: 'This charge was given back already.' };
    await expect(refund()).rejects.toMatchObject({ code: 'not_found' });
    await billing.settle({ resource, charge: chargeOf(100_000n, 'cache-1:storage:0') });
    await refund();
    expect(await readMoney(store)).toMatchObject({ balance: 1_000_000n });
    await billing.settle({ resource, charge: chargeOf(200_000n, 'cache-1:storage:1') });
    await billing.settle({ resource, charge: chargeOf(50_000n, 'cache-1:storage:2') });
    // Side by side: whichever comes first gives back the whole of it.
    const twins = await Promise.allSettled([refund(), refund(), refund()]);
    expect(twins.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readMoney(store)).toMatchObject({ balance: 1_000_000n });
    await expect(refund()).rejects.toMatchObject(givenBack);
    await billing.settle({ resource, charge: chargeOf(1n, 'cache-1:storage:3') });
    await refund();
    expect(await readMoney(store)).toMatchObject({ balance: 1_000_000n });
    expect((await verifyLedger(store)).problems).toEqual([]);
  });

  it('are refused beyond the balance and beyond the limit of the key, and leave nothing behind', async () => {
    const limit = { retention: 'day', thresholdNanoUsd: 500_000n } as const;
    const { store, resource, billing } = await openBooks(kind, limit);
    const before = await readMoney(store);
    expect(await billing.free(resource)).toBe(500_000n);
    await expect(billing.reserve(resource, hour)).rejects.toMatchObject({ code: 'key_limit_reached' });
    await expect(billing.reserve(resource, { ...hour, amountNanoUsd: 1_000_001n })).rejects.toMatchObject({
      code: 'insufficient_balance',
    });
    expect(await billing.settle({ resource, charge: chargeOf(500_001n) })).toEqual({
      isBooked: false,
      reason: 'key_limit_reached',
    });
    await billing.reserve(resource, { ...hour, amountNanoUsd: 300_000n });
    expect(await billing.settle({ resource, holdId: hour.holdId, charge: chargeOf(500_001n) })).toEqual({
      isBooked: false,
      reason: 'key_limit_reached',
    });
    expect(await billing.release(hour.holdId)).toBe(true);
    expect(await readMoney(store)).toEqual(before);
    expect((await verifyLedger(store)).problems).toEqual([]);
  });

  it('are written together with their owner’s rows, or not at all', async () => {
    const { store, resource, billing } = await openBooks(kind);
    await billing.reserve(resource, hour);
    const mark = statement('insert into store_marks (name, value) values (?, ?)', ['cache-1', 1]);
    const gone = statement('delete from store_marks where name = ?', ['no such'], {
      rows: 1,
      otherwise: 'resource_changed' as const,
    });
    const settlement = { resource, holdId: hour.holdId, charge: chargeOf(1n) };
    expect(await billing.settle({ ...settlement, also: [mark, gone] })).toEqual({
      isBooked: false,
      reason: 'resource_changed',
    });
    expect(await readMoney(store)).toMatchObject({ balance: 1_000_000n, held: 600_000n });
    expect(await billing.settle({ ...settlement, also: [mark] })).toEqual({ isBooked: true });
    const marks = store.db.selectFrom('store_marks').selectAll().where('name', '=', 'cache-1');
    expect(await marks.execute()).toHaveLength(1);
  });

  it('are given back when nobody settled their hold in time', async () => {
    const { store, resource, billing } = await openBooks(kind);
    await billing.reserve(resource, hour);
    const early = await openLedgerMeter(store, { now: () => hour.expiresAt - 1 });
    await early.close();
    expect(await readMoney(store)).toMatchObject({ held: 600_000n });
    const late = await openLedgerMeter(store, { now: () => hour.expiresAt });
    onTestFinished(async () => await late.close());
    expect(await readMoney(store)).toMatchObject({ balance: 1_000_000n, held: 0n, keyHeld: 0n });
  });
});

describe.each(storeKinds)('verifying the ledger on %s', (kind) => {
  it.each([
    ['update resource_charges set cost_nano_usd = 7', /Resource charge cache-1:storage:0 is 7/],
    ['delete from resource_charges', /charge of 10000 for cache-1 belongs to no request and no resource/],
    ['delete from resource_holds', /open holds sum to 0/],
  ])('finds %s', async (damage, sentence) => {
    const { store, resource, billing } = await openBooks(kind);
    await billing.settle({ resource, charge: chargeOf(10_000n), next: hour });
    expect((await verifyLedger(store)).problems).toEqual([]);
    await store.commit([statement(damage, [])]);
    expect((await verifyLedger(store)).problems.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(sentence),
    );
  });
});
