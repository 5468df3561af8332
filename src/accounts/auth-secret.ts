import { randomBytes } from 'node:crypto';
import { type Store, statement } from '../store/store.ts';

const name = 'auth';

/**
 * What sessions are signed with: drawn by whichever replica is first, and kept beside the sessions, because every
 * replica needs the same one. The setting `authSecret` keeps it out of the database instead.
 */
export async function readAuthSecret(store: Store): Promise<string> {
  await store.commit([
    statement('insert into store_secrets (name, value) values (?, ?) on conflict (name) do nothing', [
      name,
      randomBytes(32).toString('base64url'),
    ]),
  ]);
  const row = await store.db
    .selectFrom('store_secrets')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return row.value;
}
