import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import type { Store } from '../store/store.ts';
import { createSearchRecords } from './search-records.ts';

const ttlMs = 1_000;
const search = {
  query: 'context “caching” 缓存',
  question: '什么是缓存？',
  isFailed: false,
  firstNumber: 3,
  searchedAt: 5,
  style: 'cited',
  tokens: 40,
  sources: [
    {
      title: 'A',
      url: 'https://a.example/',
      publishedAt: '2026-01-02',
      excerpts: [{ position: 2, rank: 0, text: 'It keeps\n\n"prefixes". 🚀' }],
    },
    { title: 'B', url: 'https://b.example/', excerpts: [] },
  ],
} as const;

async function addAccount(store: Store, email: string): Promise<number> {
  const account = { email, password: 'long enough', isAdmin: false, openingCreditNanoUsd: 0n };
  return (await createAccount(store, account, () => 0)).id;
}

async function openRecords(kind: (typeof storeKinds)[number]) {
  const store = await openTestStore(kind);
  let nowMs = 0;
  const owner = await addAccount(store, 'ada@example.org');
  const stranger = await addAccount(store, 'eve@example.org');
  return {
    store,
    owner,
    stranger,
    records: createSearchRecords({ store, now: () => nowMs, ttlMs }),
    setNow: (ms: number) => {
      nowMs = ms;
    },
  };
}

describe.each(storeKinds)('a search kept on %s', (kind) => {
  it('is given back whole to the account that made it, and to no other', async () => {
    const { records, owner, stranger } = await openRecords(kind);
    const { searchId } = await records.add(owner, search);
    expect(searchId).toMatch(/^[0-9a-f]{32}$/);
    expect(await records.find(owner, searchId)).toEqual({ searchId, ...search });
    expect(await records.find(stranger, searchId)).toBeUndefined();
  });

  it('has an id of its own, and other ids lead nowhere', async () => {
    const { records, owner } = await openRecords(kind);
    const [first, second] = [await records.add(owner, search), await records.add(owner, search)];
    expect(first.searchId).not.toBe(second.searchId);
    const wrong = ['', '0'.repeat(32), first.searchId.slice(1), `${first.searchId}0`, "' or 1=1 --", '\0'];
    for (const id of wrong) expect(await records.find(owner, id)).toBeUndefined();
  });

  it('expires to the millisecond, and is deleted by the next one', async () => {
    const { records, owner, setNow, store } = await openRecords(kind);
    const { searchId } = await records.add(owner, search);
    setNow(ttlMs - 1);
    expect(await records.find(owner, searchId)).toBeDefined();
    setNow(ttlMs);
    expect(await records.find(owner, searchId)).toBeUndefined();
    const later = await records.add(owner, search);
    const rows = await store.db.selectFrom('web_searches').select('search_id').execute();
    expect(rows).toEqual([{ search_id: later.searchId }]);
  });
});
