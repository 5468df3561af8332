import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { explainPlans } from '../store/__fixtures__/explain-plans.ts';
import { openUsedAccount } from '../usage/__fixtures__/open-used-account.ts';
import { readSavings } from './read-savings.ts';

describe('what caching has saved', () => {
  it.each(storeKinds)('is the sum over all keys of the account and no others, on %s', async (kind) => {
    const { store, accountId, first, second, strangers, record } = await openUsedAccount(kind);
    await record(first, '2026-07-01T10:00:00Z', { inputTokens: 100, cachedTokens: 60, cacheHits: 1 });
    await record(second, '2026-07-02T10:00:00Z', { inputTokens: 50, cachedTokens: 0, cacheHits: 0 });
    await record(strangers, '2026-07-02T10:00:00Z', { inputTokens: 7, cachedTokens: 7, cacheHits: 7 });
    expect(await readSavings(store, accountId)).toEqual({
      promptTokens: 150,
      cachedTokens: 60,
      cacheHits: 1,
    });
  });

  it('is read by way of the keys, not from the sums of everybody', async () => {
    const plans = await explainPlans(await openTestStore('sqlite'), (store) => readSavings(store, 1));
    expect(plans.filter((line) => line.includes('usage_rollups'))).toEqual([
      expect.stringMatching(/^SEARCH usage_rollups .*key_id=\?/),
    ]);
  });
});
