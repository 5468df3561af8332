import { errorCodeOf } from '../error-code.ts';
/** Why the database refused, in words that are the same for SQLite and PostgreSQL. */
export type StoreErrorKind =
  | 'unique'
  | 'foreign-key'
  | 'constraint'
  | 'busy'
  | 'disk-full'
  | 'unavailable'
  | 'other';

/** A failure of the database. Its message may hold SQL: it is for logs, never for callers of the API. */
export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  /** The database's own code, such as `SQLITE_CONSTRAINT_UNIQUE` or `23505`. */
  readonly databaseCode: string | undefined;

  constructor(
    kind: StoreErrorKind,
    message: string,
    options: { databaseCode?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'StoreError';
    this.kind = kind;
    this.databaseCode = options.databaseCode;
  }
}

const sqliteKinds: readonly (readonly [string, StoreErrorKind])[] = [
  ['SQLITE_CONSTRAINT_UNIQUE', 'unique'],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', 'unique'],
  ['SQLITE_CONSTRAINT_FOREIGNKEY', 'foreign-key'],
  ['SQLITE_CONSTRAINT', 'constraint'],
  ['SQLITE_BUSY', 'busy'],
  ['SQLITE_FULL', 'disk-full'],
  ['SQLITE_IOERR', 'unavailable'],
  ['SQLITE_CANTOPEN', 'unavailable'],
  ['SQLITE_READONLY', 'unavailable'],
];

const postgresKinds: readonly (readonly [string, StoreErrorKind])[] = [
  ['23505', 'unique'],
  ['23503', 'foreign-key'],
  ['23', 'constraint'],
  ['40', 'busy'],
  ['55', 'busy'],
  ['53100', 'disk-full'],
  ['53', 'unavailable'],
  ['57', 'unavailable'],
  ['08', 'unavailable'],
  ['E', 'unavailable'],
];

/** Wraps what the database's driver threw, classified by its code, never by its text. */
export function toStoreError(thrown: unknown, kinds: 'sqlite' | 'postgres'): StoreError {
  if (thrown instanceof StoreError) {
    return thrown;
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (kinds === 'postgres' && isLostConnection(thrown)) {
    return new StoreError('unavailable', message, { cause: thrown });
  }
  return storeErrorFromCode(errorCodeOf(thrown), message, kinds, thrown);
}

/** The same for an error that crossed a thread boundary and kept only its code and text. */
export function storeErrorFromCode(
  databaseCode: string | undefined,
  message: string,
  kinds: 'sqlite' | 'postgres',
  cause?: unknown,
): StoreError {
  const table = kinds === 'sqlite' ? sqliteKinds : postgresKinds;
  // The first prefix that fits wins, so the precise codes stand before their classes.
  const found = table.find(([prefix]) => databaseCode?.startsWith(prefix));
  return new StoreError(found?.[1] ?? 'other', message, {
    cause,
    ...(databaseCode === undefined ? {} : { databaseCode }),
  });
}

/** The driver's own words about connections and time limits have no code, where the server's always have one. */
const isLostConnection = (thrown: unknown): boolean =>
  thrown instanceof Error && thrown.constructor === Error && errorCodeOf(thrown) === undefined;
