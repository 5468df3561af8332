import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import { createKey } from '../keys/api-keys.ts';
import type { Store } from '../store/store.ts';
import { type LogFilter, listRequests } from './list-requests.ts';
import { noUsage, recordUsage } from './record-usage.ts';

const quarterMs = 15 * 60_000;
const start = Date.parse('2026-11-23T10:00:00Z');
const hours = 3;
const requestCount = 1_500;

interface Row {
  readonly inferenceId: string;
  readonly modelId: string;
  readonly status: 'succeeded' | 'failed';
  readonly createdAt: number;
}

/** Spread unevenly over three hours, some in one millisecond; one key's, beside another one's. */
async function fill(store: Store) {
  const account = await createAccount(store, {
    email: 'ada@example.org',
    password: 'long enough',
    isAdmin: false,
    openingCreditNanoUsd: 0n,
  });
  const { key } = await createKey(store, { accountId: account.id });
  const { key: other } = await createKey(store, { accountId: account.id });
  const rows = Array.from({ length: requestCount }, (_, index): Row => {
    const share = (index * 7919) % requestCount;
    return {
      inferenceId: `i-${String(index).padStart(5, '0')}`,
      modelId: index % 3 === 0 ? 'a/one' : 'a/two',
      status: index % 5 === 0 ? 'failed' : 'succeeded',
      createdAt:
        start + Math.floor((share / requestCount) ** 2 * hours * 4) * quarterMs + (share % 40) * 1_000,
    };
  });
  const statements = rows.flatMap((row, index) =>
    recordUsage({
      ...noUsage,
      ...row,
      accountId: account.id,
      keyId: index % 10 === 0 ? other.id : key.id,
      priceId: null,
      origin: 'api',
      errorCode: null,
      isClientLeft: false,
      costNanoUsd: 0n,
      clientRequestId: null,
      timeToFirstTokenMs: null,
      durationMs: 1,
    }),
  );
  await store.commit(statements);
  const own = rows
    .filter((_, index) => index % 10 !== 0)
    .toSorted((a, b) => b.createdAt - a.createdAt || (a.inferenceId < b.inferenceId ? 1 : -1));
  return { keyId: key.id, rows: own };
}

const moment = fc.integer({ min: -20, max: hours * 60 + 20 }).map((minutes) => start + minutes * 60_000);
const anyFilter: fc.Arbitrary<LogFilter> = fc
  .record({
    ends: fc.tuple(moment, moment),
    shift: fc.nat(59_999),
    modelIds: fc.subarray(['a/one', 'a/two', 'a/none']),
    statuses: fc.subarray(['succeeded', 'failed'] as const),
    limit: fc.integer({ min: 1, max: 100 }),
    offset: fc.nat(requestCount + 10),
  })
  .map(({ ends, shift, ...rest }) => ({ from: Math.min(...ends), to: Math.max(...ends) + shift, ...rest }));

describe.each(storeKinds)('the log of a key on %s', (kind) => {
  it('has every page as if it were cut from the whole, however deep and filtered', async () => {
    const store = await openTestStore(kind);
    const { keyId, rows } = await fill(store);
    await fc.assert(
      fc.asyncProperty(anyFilter, async (filter) => {
        const matching = rows.filter(
          ({ createdAt, modelId, status }) =>
            createdAt >= filter.from &&
            createdAt < filter.to &&
            (filter.modelIds.length === 0 || filter.modelIds.includes(modelId)) &&
            (filter.statuses.length === 0 || filter.statuses.includes(status)),
        );
        const { requests, totalCount } = await listRequests(store, keyId, filter);
        expect(totalCount).toBe(matching.length);
        expect(requests.map(({ inferenceId }) => inferenceId)).toEqual(
          matching.slice(filter.offset, filter.offset + filter.limit).map(({ inferenceId }) => inferenceId),
        );
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
