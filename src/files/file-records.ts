/** The rows of uploaded files. Their bytes are in a `FileStorage`. */
import { type Store, statement } from '../store/store.ts';

export type FileStatus = 'ready' | 'error';

export interface FileRecord {
  readonly id: string;
  readonly accountId: number;
  readonly filename: string;
  readonly purpose: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly status: FileStatus;
  /** Why there is no text; null when there is. */
  readonly statusDetails: string | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface FileQuotas {
  readonly filesMax: number;
  readonly bytesMax: number;
}

export interface FilePage {
  readonly files: readonly FileRecord[];
  readonly hasMore: boolean;
}

export interface FileFilter {
  /** The id after which the page begins. */
  readonly after?: string;
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  readonly purpose?: string;
}

export interface FileRecords {
  /** Which quota does not allow the file; undefined when it was written. */
  insert(file: FileRecord, quotas: FileQuotas): Promise<'count' | 'bytes' | undefined>;
  find(accountId: number, id: string): Promise<FileRecord | undefined>;
  list(accountId: number, filter: FileFilter): Promise<FilePage>;
  /** Whether there was such a file. */
  remove(accountId: number, id: string): Promise<boolean>;
  usage(accountId: number): Promise<{ readonly files: number; readonly bytes: number }>;
  /** Those of these ids that have a row. */
  findExisting(ids: readonly string[]): Promise<ReadonlySet<string>>;
}

const columns = [
  'id',
  'account_id as accountId',
  'filename',
  'purpose',
  'media_type as mediaType',
  'size_bytes as sizeBytes',
  'sha256',
  'status',
  'status_details as statusDetails',
  'created_at as createdAt',
] as const;

export function createFileRecords(store: Store): FileRecords {
  const { db } = store;
  const find = async (accountId: number, id: string): Promise<FileRecord | undefined> =>
    await db
      .selectFrom('files')
      .select(columns)
      .where('account_id', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst();
  return {
    find,
    async insert(file, quotas) {
      const result = await store.commit<'count' | 'bytes'>(insertStatements(file, quotas));
      return result.isCommitted ? undefined : result.reason;
    },
    async list(accountId, { after, limit, order, purpose }) {
      let query = db.selectFrom('files').select(columns).where('account_id', '=', accountId);
      if (purpose !== undefined) query = query.where('purpose', '=', purpose);
      const cursor = after === undefined ? undefined : await find(accountId, after);
      if (cursor !== undefined) {
        const operator = order === 'asc' ? '>' : '<';
        query = query.where(({ eb, and, or }) =>
          or([
            eb('created_at', operator, cursor.createdAt),
            and([eb('created_at', '=', cursor.createdAt), eb('id', operator, cursor.id)]),
          ]),
        );
      }
      const rows = await query
        .orderBy('created_at', order)
        .orderBy('id', order)
        .limit(limit + 1)
        .execute();
      return { files: rows.slice(0, limit), hasMore: rows.length > limit };
    },
    async remove(accountId, id) {
      const { numDeletedRows } = await db
        .deleteFrom('files')
        .where('account_id', '=', accountId)
        .where('id', '=', id)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    async usage(accountId) {
      const row = await db
        .selectFrom('files')
        .select(({ fn }) => [fn.countAll().as('files'), fn.sum('size_bytes').as('bytes')])
        .where('account_id', '=', accountId)
        .executeTakeFirstOrThrow();
      return { files: Number(row.files), bytes: Number(row.bytes ?? 0) };
    },
    async findExisting(ids) {
      if (ids.length === 0) return new Set();
      const rows = await db.selectFrom('files').select('id').where('id', 'in', ids).execute();
      return new Set(rows.map(({ id }) => id));
    },
  };
}

function insertStatements(file: FileRecord, { filesMax, bytesMax }: FileQuotas) {
  const { accountId } = file;
  return [
    // Changes nothing but holds the account's row: uploads of one account are counted one after the other.
    statement('update accounts set is_admin = is_admin where id = ?', [accountId]),
    statement<'count'>(
      'select count(*) as files from files where account_id = ? having count(*) < ?',
      [accountId, filesMax],
      { rows: 1, otherwise: 'count' },
    ),
    statement<'bytes'>(
      `insert into files (id, account_id, filename, purpose, media_type, size_bytes, sha256, status, status_details, created_at)
       select ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
       where (select coalesce(sum(size_bytes), 0) from files where account_id = ?) + ? <= ?`,
      [
        file.id,
        accountId,
        file.filename,
        file.purpose,
        file.mediaType,
        file.sizeBytes,
        file.sha256,
        file.status,
        file.statusDetails,
        file.createdAt,
        accountId,
        file.sizeBytes,
        bytesMax,
      ],
      { rows: 1, otherwise: 'bytes' },
    ),
  ];
}
