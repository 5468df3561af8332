/**
 * Conversations of the playground, kept in the account. What stands in one is the web app's business: here it is a
 * JSON object of bounded size. Whoever has a conversation's share link may read it; nobody else sees another's.
 */
import { randomBytes } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import { ApiError } from '../errors.ts';
import { type Store, statement } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { type ConversationCursor, decodeCursor, encodeCursor } from './conversation-cursor.ts';
import { foldContent, foldSearch, foldText } from './fold-text.ts';

export interface ConversationSummary {
  readonly id: string;
  readonly title: string;
  /** Counts from 1, by one per change. */
  readonly revision: number;
  readonly sizeBytes: number;
  /** Null: not shared. */
  readonly shareId: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface Conversation extends ConversationSummary {
  /** JSON text of an object. */
  readonly content: string;
}

export interface ConversationChange {
  readonly title?: string | undefined;
  readonly content?: string | undefined;
  /** When given, the change stands only while this is the current revision. */
  readonly revision?: number | undefined;
}

export interface ConversationPage {
  readonly limit: number;
  readonly cursor: string | undefined;
  readonly search: string | undefined;
}

export interface Conversations {
  /**
   * Newest change first; with `search`, those whose title or messages hold each of its words. Throws ApiError
   * `invalid_request` for a cursor that was not issued.
   */
  list(
    accountId: number,
    page: ConversationPage,
  ): Promise<{ readonly conversations: readonly ConversationSummary[]; readonly nextCursor: string | null }>;
  /** Throws ApiError `conflict` when the account has as many as it may, `invalid_request` when it is too large. */
  create(
    accountId: number,
    draft: { readonly title: string; readonly content: string },
  ): Promise<Conversation>;
  /** Throws ApiError `not_found`. */
  read(accountId: number, id: string): Promise<Conversation>;
  /** Throws ApiError `not_found`, `conflict` (another window saved meanwhile), `invalid_request` (too large). */
  change(accountId: number, id: string, change: ConversationChange): Promise<ConversationSummary>;
  /** Throws ApiError `not_found`. */
  remove(accountId: number, id: string): Promise<void>;
  /** Switches the share link on (a new one each time it was off) or off. Throws ApiError `not_found`. */
  share(accountId: number, id: string, isShared: boolean): Promise<string | null>;
  /** Throws ApiError `not_found`. */
  readShared(shareId: string): Promise<Conversation>;
}

export interface ConversationOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly perAccountMax?: number;
}

/** Of one conversation's content, as UTF-8. */
export const conversationBytesMax = 1_000_000;
const perAccountMaxDefault = 1_000;

export function createConversations(store: Store, options: ConversationOptions = {}): Conversations {
  const { now = Date.now, perAccountMax = perAccountMaxDefault } = options;
  return {
    list: async (accountId, { limit, cursor, search = '' }) => {
      const after = cursor === undefined ? undefined : decodeCursor(cursor);
      const rows = await readPage(store, accountId, {
        limit: limit + 1,
        after,
        patterns: foldSearch(search),
      });
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return {
        conversations: page.map(decodeSummary),
        nextCursor: last === undefined ? null : encodeCursor({ updatedAt: last.updated_at, id: last.id }),
      };
    },
    create: async (accountId, draft) => {
      const id = `conv-${randomBytes(12).toString('hex')}`;
      const made = await store.commit([
        statement(
          `insert into conversations (id, account_id, title, title_folded, content, text_folded, size_bytes,
             revision, created_at, updated_at)
           select ?, ?, ?, ?, ?, ?, ?, 1, ?, ?
           where (select count(*) from conversations where account_id = ?) < ?`,
          [
            id,
            accountId,
            draft.title,
            foldText(draft.title),
            draft.content,
            foldContent(draft.content),
            sizeOf(draft.content),
            now(),
            now(),
            accountId,
            perAccountMax,
          ],
          { rows: 1, otherwise: 'too_many' },
        ),
      ]);
      if (made.isCommitted) return await readOwn(store, accountId, id);
      throw new ApiError('conflict', {
        message: `An account keeps at most ${perAccountMax} conversations; delete some first.`,
      });
    },
    read: async (accountId, id) => await readOwn(store, accountId, id),
    change: async (accountId, id, change) => await changeOwn(store, { accountId, id, change, at: now() }),
    remove: async (accountId, id) => {
      const removed = await store.db
        .deleteFrom('conversations')
        .where('id', '=', id)
        .where('account_id', '=', accountId)
        .executeTakeFirst();
      if (removed.numDeletedRows === 0n) throw new ApiError('not_found');
    },
    share: async (accountId, id, isShared) => {
      // 144 random bits: found by nobody who was not given it.
      const shareId = isShared ? randomBytes(18).toString('base64url') : null;
      let update = store.db
        .updateTable('conversations')
        .set({ share_id: shareId })
        .where('id', '=', id)
        .where('account_id', '=', accountId);
      // A link that is out goes on working, also when two windows share at the same moment.
      if (isShared) update = update.where('share_id', 'is', null);
      await update.execute();
      return (await readOwn(store, accountId, id)).shareId;
    },
    readShared: async (shareId) => {
      const row = await store.db
        .selectFrom('conversations')
        .innerJoin('accounts', 'accounts.id', 'conversations.account_id')
        .selectAll('conversations')
        .where('share_id', '=', shareId)
        // What a disabled account shared is out of reach with it.
        .where('accounts.disabled_at', 'is', null)
        .executeTakeFirst();
      if (row === undefined)
        throw new ApiError('not_found', { message: 'Nothing is shared at this address.' });
      return decodeConversation(row);
    },
  };
}

async function changeOwn(
  store: Store,
  { accountId, id, change, at }: { accountId: number; id: string; change: ConversationChange; at: number },
): Promise<ConversationSummary> {
  const { title = null, content = null, revision = null } = change;
  const changed = await store.commit([
    statement(
      `update conversations set title = coalesce(?, title), title_folded = coalesce(?, title_folded),
         content = coalesce(?, content), text_folded = coalesce(?, text_folded),
         size_bytes = coalesce(?, size_bytes), revision = revision + 1, updated_at = ?
       where id = ? and account_id = ? and revision = coalesce(?, revision)`,
      [
        title,
        title === null ? null : foldText(title),
        content,
        content === null ? null : foldContent(content),
        content === null ? null : sizeOf(content),
        at,
        id,
        accountId,
        revision,
      ],
      { rows: 1, otherwise: 'not_changed' },
    ),
  ]);
  // Not found is thrown by this reading; what is there but was not changed has another revision.
  const current = await readOwn(store, accountId, id);
  if (changed.isCommitted) return current;
  throw new ApiError('conflict', {
    message: `The conversation was changed elsewhere: its revision is ${current.revision}, not ${revision}.`,
    param: 'revision',
  });
}

function sizeOf(content: string): number {
  const sizeBytes = Buffer.byteLength(content);
  if (sizeBytes <= conversationBytesMax) return sizeBytes;
  throw new ApiError('invalid_request', {
    message: `Invalid request: content: has ${sizeBytes} bytes, at most ${conversationBytesMax} are kept.`,
    param: 'content',
  });
}

async function readPage(
  store: Store,
  accountId: number,
  {
    limit,
    after,
    patterns,
  }: {
    readonly limit: number;
    readonly after: ConversationCursor | undefined;
    readonly patterns: readonly string[];
  },
) {
  let query = store.db
    .selectFrom('conversations')
    .select(['id', 'title', 'revision', 'size_bytes', 'share_id', 'created_at', 'updated_at'])
    .where('account_id', '=', accountId);
  if (after !== undefined) {
    query = query.where((where) =>
      where.or([
        where('updated_at', '<', after.updatedAt),
        where.and([where('updated_at', '=', after.updatedAt), where('id', '<', after.id)]),
      ]),
    );
  }
  for (const pattern of patterns) {
    query = query.where(
      sql<boolean>`(coalesce(title_folded, lower(title)) like ${pattern} escape '\\'
        or coalesce(text_folded, lower(content)) like ${pattern} escape '\\')`,
    );
  }
  return await query.orderBy('updated_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

async function readOwn(store: Store, accountId: number, id: string): Promise<Conversation> {
  const row = await store.db
    .selectFrom('conversations')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  if (row === undefined) throw new ApiError('not_found');
  return decodeConversation(row);
}

type Row = Selectable<Tables['conversations']>;
type SummaryRow = Omit<Row, 'account_id' | 'content' | 'title_folded' | 'text_folded'>;

function decodeSummary(row: SummaryRow): ConversationSummary {
  return {
    id: row.id,
    title: row.title,
    revision: row.revision,
    sizeBytes: row.size_bytes,
    shareId: row.share_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function decodeConversation(row: SummaryRow & Pick<Row, 'content'>): Conversation {
  return { ...decodeSummary(row), content: row.content };
}
