/** Searches that were made, kept for the account that made them until they expire. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Store, statement } from '../store/store.ts';
import type { StoredSearch } from './stored-search.ts';

export interface SearchRecords {
  /** Keeps it and gives it an id that only this account can use. */
  add(accountId: number, search: Omit<StoredSearch, 'searchId'>): Promise<StoredSearch>;
  /** Undefined for an id that is unknown, expired or another account's. */
  find(accountId: number, searchId: string): Promise<StoredSearch | undefined>;
}

export interface SearchRecordsOptions {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly ttlMs: number;
}

const excerptSchema = z.object({ position: z.int(), rank: z.int(), text: z.string() });
const contentSchema = z.object({
  query: z.string(),
  question: z.string(),
  isFailed: z.boolean(),
  firstNumber: z.int(),
  searchedAt: z.int(),
  style: z.enum(['cited', 'brief']),
  tokens: z.int(),
  sources: z.array(
    z.object({
      title: z.string(),
      url: z.string(),
      publishedAt: z.string().exactOptional(),
      excerpts: z.array(excerptSchema),
    }),
  ),
});

const idPattern = /^[0-9a-f]{32}$/;

export function createSearchRecords({ store, now, ttlMs }: SearchRecordsOptions): SearchRecords {
  return {
    async add(accountId, search) {
      const searchId = randomBytes(16).toString('hex');
      const createdAt = now();
      await store.commit(
        [
          // Swept by whoever adds, so that the table never needs a job of its own.
          statement('delete from web_searches where expires_at <= ?', [createdAt]),
          statement(
            'insert into web_searches (search_id, account_id, content, created_at, expires_at) values (?, ?, ?, ?, ?)',
            [searchId, accountId, JSON.stringify(search), createdAt, createdAt + ttlMs],
          ),
        ],
        // The settlement of the same turn follows, and never becomes durable before this.
        { durability: 'lazy' },
      );
      return { searchId, ...search };
    },
    async find(accountId, searchId) {
      if (!idPattern.test(searchId)) return undefined;
      const row = await store.db
        .selectFrom('web_searches')
        .select('content')
        .where('search_id', '=', searchId)
        .where('account_id', '=', accountId)
        .where('expires_at', '>', now())
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return { searchId, ...contentSchema.parse(JSON.parse(row.content)) };
    },
  };
}
