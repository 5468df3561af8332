/** The SQL of context-cache objects. What is written together with money is a statement; the rest runs by itself. */
import type { Selectable } from 'kysely';
import { type Statement, type Store, statement } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import type { ContextCache } from './context-cache.ts';

export type CacheRow = Selectable<Tables['context_caches']>;

/** A row as its owner may see it. */
export function decodeCache(row: CacheRow, now: number): ContextCache {
  const isOver = row.status === 'ready' && row.expires_at <= now;
  return {
    id: row.id,
    accountId: row.account_id,
    keyId: row.key_id,
    modelId: row.model_id,
    status: isOver ? 'inactive' : row.status,
    // All four columns are written by this folder alone.
    messages: JSON.parse(row.messages) as ContextCache['messages'],
    tools: row.tools === null ? undefined : (JSON.parse(row.tools) as ContextCache['tools']),
    name: row.name ?? undefined,
    description: row.description ?? undefined,
    metadata: JSON.parse(row.metadata) as ContextCache['metadata'],
    tokens: row.tokens,
    backing: row.backing,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    error:
      row.status === 'error' && row.error_message !== null
        ? { type: row.error_type ?? 'server_error', message: row.error_message }
        : undefined,
  };
}

export async function findRow(store: Store, id: string, accountId?: number): Promise<CacheRow | undefined> {
  let query = store.db.selectFrom('context_caches').selectAll().where('id', '=', id);
  if (accountId !== undefined) query = query.where('account_id', '=', accountId);
  return await query.executeTakeFirst();
}

export type NewRow = Pick<
  CacheRow,
  | 'id'
  | 'account_id'
  | 'key_id'
  | 'model_id'
  | 'messages'
  | 'tools'
  | 'name'
  | 'description'
  | 'metadata'
  | 'tokens'
  | 'backing'
  | 'created_at'
  | 'expires_at'
  | 'hold_id'
>;

/** `resource_changed`: the account has as many objects as it may have. */
export function insertRow(row: NewRow, cachesMax: number): Statement<'resource_changed'> {
  return statement(
    `insert into context_caches (id, account_id, key_id, model_id, status, messages, tools, name, description,
       metadata, tokens, backing, created_at, expires_at, life, stored_at, charged_seconds, held_seconds, hold_id,
       due_at, claimed_by, claimed_until, attempts, error_type, error_message)
     select ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, null, 0, 0, ?, ?, null, 0, 0, null, null
     where (select count(*) from context_caches where account_id = ?) < ?`,
    [
      row.id,
      row.account_id,
      row.key_id,
      row.model_id,
      row.messages,
      row.tools,
      row.name,
      row.description,
      row.metadata,
      row.tokens,
      row.backing,
      row.created_at,
      row.expires_at,
      row.hold_id,
      row.created_at,
      row.account_id,
      cachesMax,
    ],
    { rows: 1, otherwise: 'resource_changed' },
  );
}

/** From `pending` to `ready`: computed and paid for. */
export function becomeReady(
  row: CacheRow,
  stored: {
    readonly at: number;
    readonly tokens: number;
    readonly holdId: string;
    readonly heldSeconds: number;
  },
): Statement<'resource_changed'> {
  return statement(
    `update context_caches set status = 'ready', tokens = ?, stored_at = ?, charged_seconds = 0, held_seconds = ?,
       hold_id = ?, due_at = case when expires_at < ? then expires_at else ? end, claimed_until = 0, attempts = 0
     where id = ? and life = ? and status = 'pending'`,
    [
      stored.tokens,
      stored.at,
      stored.heldSeconds,
      stored.holdId,
      stored.at + stored.heldSeconds * 1_000,
      stored.at + stored.heldSeconds * 1_000,
      row.id,
      row.life,
    ],
    { rows: 1, otherwise: 'resource_changed' },
  );
}

/** The storage up to a second is charged; the object lives on. */
export function continueStorage(
  row: CacheRow,
  storage: { readonly chargedSeconds: number; readonly heldSeconds: number; readonly holdId: string },
): Statement<'resource_changed'> {
  const dueAt = (row.stored_at ?? 0) + storage.heldSeconds * 1_000;
  return guarded(
    row,
    `update context_caches set charged_seconds = ?, held_seconds = ?, hold_id = ?,
       due_at = case when expires_at < ? then expires_at else ? end, claimed_until = 0`,
    [storage.chargedSeconds, storage.heldSeconds, storage.holdId, dueAt, dueAt],
  );
}

/** The object's life is over and paid for, unless its end has just been moved. */
export function endStorage(
  row: CacheRow,
  end: { readonly chargedSeconds: number; readonly expiresAt: number },
): Statement<'resource_changed'> {
  return statement(
    `update context_caches set status = 'inactive', charged_seconds = ?, expires_at = ?, hold_id = null,
       due_at = null, claimed_until = 0
     where id = ? and status = 'ready' and life = ? and charged_seconds = ? and expires_at = ?`,
    [end.chargedSeconds, end.expiresAt, row.id, row.life, row.charged_seconds, row.expires_at],
    { rows: 1, otherwise: 'resource_changed' },
  );
}

export function deleteStored(row: CacheRow): readonly Statement<'resource_changed'>[] {
  return [
    statement('delete from context_cache_tags where cache_id = ?', [row.id]),
    guarded(row, 'delete from context_caches', []),
  ];
}

/** Of an object that is not stored: what is held for a life that has just begun must not be orphaned. */
export function deleteUnstored(row: CacheRow): readonly Statement<'resource_changed'>[] {
  return [
    statement('delete from context_cache_tags where cache_id = ?', [row.id]),
    statement(
      'delete from context_caches where id = ? and life = ? and status = ?',
      [row.id, row.life, row.status],
      { rows: 1, otherwise: 'resource_changed' },
    ),
  ];
}

/** Nothing happened to the object's storage since the row was read. */
function guarded(
  row: CacheRow,
  change: string,
  parameters: readonly unknown[],
): Statement<'resource_changed'> {
  return statement(
    `${change} where id = ? and status = 'ready' and life = ? and charged_seconds = ?`,
    [...parameters, row.id, row.life, row.charged_seconds],
    { rows: 1, otherwise: 'resource_changed' },
  );
}

/** A life after the end: computed and paid for again. Refused when it is deleted, or another life has begun. */
export function revive(
  row: CacheRow,
  next: { readonly expiresAt: number; readonly holdId: string; readonly now: number },
): Statement<'resource_changed'> {
  return statement(
    `update context_caches set status = 'pending', life = life + 1, expires_at = ?, hold_id = ?, due_at = ?,
       stored_at = null, charged_seconds = 0, held_seconds = 0, attempts = 0, claimed_until = 0, error_type = null,
       error_message = null
     where id = ? and life = ? and status in ('inactive', 'error')`,
    [next.expiresAt, next.holdId, next.now, row.id, row.life],
    { rows: 1, otherwise: 'resource_changed' },
  );
}

export function failRow(row: CacheRow, error: { readonly type: string; readonly message: string }) {
  return statement<never>(
    `update context_caches set status = 'error', error_type = ?, error_message = ?, hold_id = null, due_at = null,
       claimed_until = 0
     where id = ? and life = ? and status = 'pending'`,
    [error.type, error.message, row.id, row.life],
  );
}
