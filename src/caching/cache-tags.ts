import { ApiError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { findRow } from './cache-rows.ts';
import type { CacheTag, Page, PageOptions } from './context-cache.ts';
import { cutPage } from './cut-page.ts';

/** Names for an account's objects; a tag points to one object and can be pointed to another. */
export interface CacheTags {
  /** Throws ApiError `cache_not_found`. */
  set(accountId: number, tag: string, cacheId: string): Promise<CacheTag>;
  /** Throws ApiError `cache_not_found`. */
  find(accountId: number, tag: string): Promise<CacheTag>;
  list(accountId: number, options: PageOptions): Promise<Page<CacheTag>>;
  /** Throws ApiError `cache_not_found`. */
  remove(accountId: number, tag: string): Promise<void>;
}

export function createCacheTags(store: Store, now: () => number): CacheTags {
  const find = async (accountId: number, tag: string): Promise<CacheTag> => {
    const row = await store.db
      .selectFrom('context_cache_tags')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('tag', '=', tag)
      .executeTakeFirst();
    if (row === undefined) throw tagNotFound(tag);
    return decodeTag(row);
  };
  return {
    find,
    async set(accountId, tag, cacheId) {
      if ((await findRow(store, cacheId, accountId)) === undefined) throw cacheNotFound(cacheId);
      await store.db
        .insertInto('context_cache_tags')
        .values({ account_id: accountId, tag, cache_id: cacheId, created_at: now() })
        .onConflict((conflict) =>
          conflict.columns(['account_id', 'tag']).doUpdateSet({ cache_id: cacheId, created_at: now() }),
        )
        .execute();
      return await find(accountId, tag);
    },
    async list(accountId, options) {
      const rows = await store.db
        .selectFrom('context_cache_tags')
        .selectAll()
        .where('account_id', '=', accountId)
        .orderBy('created_at', options.order)
        .orderBy('tag', options.order)
        .execute();
      return cutPage(rows.map(decodeTag), ({ tag }) => tag, options);
    },
    async remove(accountId, tag) {
      const { numDeletedRows } = await store.db
        .deleteFrom('context_cache_tags')
        .where('account_id', '=', accountId)
        .where('tag', '=', tag)
        .executeTakeFirstOrThrow();
      if (numDeletedRows === 0n) throw tagNotFound(tag);
    },
  };
}

const decodeTag = (row: {
  readonly tag: string;
  readonly cache_id: string;
  readonly account_id: number;
  readonly created_at: number;
}): CacheTag => ({
  tag: row.tag,
  cacheId: row.cache_id,
  accountId: row.account_id,
  createdAt: row.created_at,
});

const quoted = (text: string): string => `\`${text.slice(0, 64)}\``;

export function cacheNotFound(id: string): ApiError {
  return new ApiError('cache_not_found', {
    message: `Not found the context cache ${quoted(id)}: it was deleted, or never made in this account.`,
  });
}

function tagNotFound(tag: string): ApiError {
  return new ApiError('cache_not_found', { message: `Not found the context cache tag ${quoted(tag)}.` });
}
