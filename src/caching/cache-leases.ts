/** Who works on an object: rows that are due are claimed for a while, by one process at a time. */
import type { Store } from '../store/store.ts';
import { type CacheRow, findRow } from './cache-rows.ts';

/** A process that died lets go after so long. */
export const leaseMs = 30_000;
export const renewalMs = 10_000;
const dueMax = 100;

/** Ids of the rows that somebody should look at, the longest overdue first. */
export async function listDue(store: Store, now: number): Promise<readonly string[]> {
  const rows = await store.db
    .selectFrom('context_caches')
    .select('id')
    .where('due_at', '<=', now)
    .where('claimed_until', '<=', now)
    .orderBy('due_at')
    .limit(dueMax)
    .execute();
  return rows.map(({ id }) => id);
}

/** The row as it was when it was claimed; undefined when another process was quicker. */
export async function claim(
  store: Store,
  id: string,
  by: { readonly serverId: string; readonly now: number },
): Promise<CacheRow | undefined> {
  const { numUpdatedRows } = await store.db
    .updateTable('context_caches')
    .set({ claimed_by: by.serverId, claimed_until: by.now + leaseMs })
    .where('id', '=', id)
    .where('due_at', '<=', by.now)
    .where('claimed_until', '<=', by.now)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n ? await findRow(store, id) : undefined;
}

export async function renewClaim(
  store: Store,
  id: string,
  by: { readonly serverId: string; readonly now: number },
): Promise<void> {
  await store.db
    .updateTable('context_caches')
    .set({ claimed_until: by.now + leaseMs })
    .where('id', '=', id)
    .where('claimed_by', '=', by.serverId)
    .where('status', '=', 'pending')
    .execute();
}

/** Lets go of a row, which is due again at a moment. */
export async function postpone(
  store: Store,
  row: Pick<CacheRow, 'id' | 'life'>,
  { dueAt, attempts }: { readonly dueAt: number; readonly attempts: number },
): Promise<void> {
  await store.db
    .updateTable('context_caches')
    .set({ claimed_until: 0, due_at: dueAt, attempts })
    .where('id', '=', row.id)
    .where('life', '=', row.life)
    .where('status', 'in', ['pending', 'ready'])
    .execute();
}

/** The data folder is this process's alone, so claims that another one left are void. */
export async function voidClaims(store: Store): Promise<void> {
  if (store.kind !== 'sqlite') return;
  await store.db
    .updateTable('context_caches')
    .set({ claimed_until: 0 })
    .where('claimed_until', '>', 0)
    .execute();
}
