import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Store } from './store.ts';

/** Whether the database answers a query within `timeoutMs`. Never rejects. */
export async function isStoreAnswering({ db }: Pick<Store, 'db'>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  const isAnswered = await Promise.race([
    sql`select 1`.execute(db).then(
      () => true,
      () => false,
    ),
    setTimeout(timeoutMs, false, { signal: timer.signal }).catch(() => false),
  ]);
  timer.abort();
  return isAnswered;
}
