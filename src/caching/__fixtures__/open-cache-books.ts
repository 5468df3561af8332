/** An account with money and a real store, a clock that the test moves, and objects made by hand. */
import { openTestStore, type StoreKind } from '../../../test/services/test-stores.ts';
import { createAccount } from '../../accounts/create-account.ts';
import { createPriceBook } from '../../billing/price-book.ts';
import { createResourceBilling } from '../../billing/resource-billing.ts';
import { releaseExpiredResourceHolds } from '../../billing/resource-holds.ts';
import { createKey } from '../../keys/api-keys.ts';
import { claim } from '../cache-leases.ts';
import { createCacheMoney, creationHoldId } from '../cache-money.ts';
import { type CacheRow, findRow, insertRow } from '../cache-rows.ts';

export const modelId = 'moonshot/kimi-k2-turbo-preview';
const startMs = Date.UTC(2026, 0, 1);

export async function openCacheBooks(kind: StoreKind, openingCreditNanoUsd: bigint) {
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

  /** An object that waits to be computed; its creation and first hour are held. */
  const insert = async (id: string, tokens: number, lifeSeconds: number): Promise<void> => {
    const expiresAt = nowMs + lifeSeconds * 1_000;
    const holdId = creationHoldId(id, 1);
    const fields = {
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
      backing: 'pinned',
      created_at: nowMs,
      expires_at: expiresAt,
      hold_id: holdId,
    } as const;
    const row = insertRow(fields, 100);
    await money.reserveCreation({ id, accountId, keyId, modelId, life: 1, tokens, expiresAt }, [row]);
  };
  /** An object that is ready. */
  const open = async (id: string, tokens: number, lifeSeconds: number): Promise<void> => {
    await insert(id, tokens, lifeSeconds);
    const outcome = await money.beginStorage(await read(id), { tokens });
    if (outcome !== 'stored') throw new Error(`${id} is ${outcome}`);
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
  return { store, money, price, insert, open, read, tend, chargedFor, balance, advance, accountId, now };
}
