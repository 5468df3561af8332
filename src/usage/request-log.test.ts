import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../test/services/test-stores.ts';
import { createManualBookings } from '../billing/manual-bookings.ts';
import { openUsedAccount, type UsedAccount, usedModel } from './__fixtures__/open-used-account.ts';
import { findRequestStory, listRequestLog, type RequestLogFilter } from './request-log.ts';

const everything: RequestLogFilter = {
  from: Date.parse('2026-07-01T00:00:00Z'),
  to: Date.parse('2026-08-01T00:00:00Z'),
  modelIds: [],
  keyPrefixes: [],
  statuses: [],
  origins: [],
  id: undefined,
  limit: 100,
  before: undefined,
};

async function idsOf({ store, accountId }: UsedAccount, filter: Partial<RequestLogFilter>) {
  const { entries } = await listRequestLog(store, accountId, { ...everything, ...filter });
  return entries.map(({ inferenceId }) => inferenceId);
}

describe.each(storeKinds)('the request log of an account on %s', (kind) => {
  it('merges the account’s keys, newest first, and shows nobody else’s', async () => {
    const account = await openUsedAccount(kind);
    const { first, second, strangers, record } = account;
    const oldest = await record(first, '2026-07-20T10:00:00Z');
    const middle = await record(second, '2026-07-20T10:00:01Z');
    await record(strangers, '2026-07-20T10:00:02Z');
    const newest = await record(first, '2026-07-20T10:00:03Z');
    expect(await idsOf(account, {})).toEqual([newest, middle, oldest]);
  });

  it('pages without gaps and repetitions, also through one millisecond', async () => {
    const account = await openUsedAccount(kind);
    const { store, accountId, first, second, record } = account;
    for (let index = 0; index < 7; index += 1) {
      await record(index % 2 === 0 ? first : second, '2026-07-20T10:00:00Z', {
        inferenceId: `chatcmpl-${index}`,
      });
    }
    const seen: string[] = [];
    let before: RequestLogFilter['before'];
    do {
      const page = await listRequestLog(store, accountId, { ...everything, limit: 2, before });
      expect(page.entries.length).toBeLessThanOrEqual(2);
      seen.push(...page.entries.map(({ inferenceId }) => inferenceId));
      before = page.next;
    } while (before !== undefined);
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((index) => `chatcmpl-${index}`));
  });

  it('filters by key, model, outcome, origin and id', async () => {
    const account = await openUsedAccount(kind);
    const { first, second, record } = account;
    const failed = await record(first, '2026-07-20T10:00:00Z', {
      status: 'failed',
      errorCode: 'engine_failed',
      costNanoUsd: 0n,
    });
    const played = await record(second, '2026-07-20T10:00:01Z', { origin: 'playground' });
    const named = await record(second, '2026-07-20T10:00:02Z', { modelId: 'other', clientRequestId: 'mine' });
    expect(await idsOf(account, { keyPrefixes: [second.prefix] })).toEqual([named, played]);
    expect(await idsOf(account, { modelIds: [usedModel] })).toEqual([played, failed]);
    expect(await idsOf(account, { statuses: ['failed'] })).toEqual([failed]);
    expect(await idsOf(account, { origins: ['playground'] })).toEqual([played]);
    expect(await idsOf(account, { id: 'mine' })).toEqual([named]);
    expect(await idsOf(account, { id: failed })).toEqual([failed]);
  });

  it('tells the story of a request with the price that held and the moment of its charge', async () => {
    const { store, accountId, strangerId, first, record } = await openUsedAccount(kind);
    const price = await store.db.selectFrom('prices').selectAll().executeTakeFirstOrThrow();
    const paid = await record(first, '2026-07-20T10:00:00Z', { priceId: price.id });
    const chargedAt = Date.parse('2026-07-20T10:00:01Z');
    await store.db
      .insertInto('ledger_transfers')
      .values({
        account_id: accountId,
        counterpart: 'revenue',
        direction: 'CHARGE',
        type: 'MODEL_USAGE',
        amount_nano_usd: 1_000n,
        model_id: usedModel,
        reference_id: paid,
        once_key: null,
        created_at: chargedAt,
      })
      .execute();
    // What is given back later names the same inference, and is not its charge.
    const refund = { accountId, inferenceId: paid, note: null, bookedByAccountId: null };
    await createManualBookings(store).refund(refund);
    expect(await findRequestStory(store, accountId, paid)).toMatchObject({
      inferenceId: paid,
      keyPrefix: first.prefix,
      keyName: 'first',
      cachedTokens: 4,
      timeToFirstTokenMs: 20,
      durationMs: 100,
      price: { version: 1, inputNanoUsd: price.input_nano_usd },
      chargedAt,
    });
    expect(await findRequestStory(store, strangerId, paid)).toBeUndefined();
    expect(await findRequestStory(store, accountId, 'chatcmpl-none')).toBeUndefined();
  });
});
