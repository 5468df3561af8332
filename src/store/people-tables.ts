/**
 * Tables of people: how they come in, and what they keep. In the units of `tables.ts`, but for the `auth_*` tables:
 * those are better-auth's and follow its own types; only `accounts/` touches them.
 */
import type { ColumnType, Generated } from 'kysely';

/** Set once, never changed. */
type Fixed<T> = ColumnType<T, T, never>;

/** Values that replicas share and callers never see, such as what sessions are signed with. */
interface StoreSecretsTable {
  name: Fixed<string>;
  value: Fixed<string>;
}

/** How often something was tried in a window of time, over all replicas. */
interface AttemptsTable {
  name: Fixed<string>;
  count: number;
  window_ends_at: number;
}

/** A way in that an administrator made. */
interface InvitesTable {
  id: Generated<number>;
  /** SHA-256 of the link's token, hexadecimal. */
  token_hash: Fixed<string>;
  /** The only address that may use it; null = any. */
  email: Fixed<string | null>;
  credit_nano_usd: Fixed<bigint>;
  note: Fixed<string | null>;
  created_by_account_id: Fixed<number>;
  created_at: Fixed<number>;
  expires_at: Fixed<number>;
  used_at: number | null;
  used_by_account_id: number | null;
  revoked_at: number | null;
}

/** Who forgot their password where no mail can be sent: an administrator hands them a link. */
interface ResetRequestsTable {
  account_id: Fixed<number>;
  requested_at: number;
}

/** A conversation of the playground, as the web app keeps it. */
interface ConversationsTable {
  id: Fixed<string>;
  account_id: Fixed<number>;
  title: string;
  /** A JSON object. */
  content: string;
  size_bytes: number;
  /** Counts changes, so that two windows do not overwrite each other. */
  revision: number;
  /** Whoever knows it may read the conversation; null = nobody. */
  share_id: string | null;
  created_at: Fixed<number>;
  updated_at: number;
  /** Title and words as `fold-text.ts` writes them; null = not saved since they are kept. */
  title_folded: string | null;
  text_folded: string | null;
}

/** Written by us only for the first administrator; ISO text is accepted by both databases for its times. */
interface AuthUsersTable {
  id: string;
  name: string;
  email: string;
  email_verified: ColumnType<number | boolean, boolean, boolean>;
  image: string | null;
  created_at: ColumnType<string | Date, string, string>;
  updated_at: ColumnType<string | Date, string, string>;
}

interface AuthSessionsTable {
  id: string;
  user_id: string;
  token: string;
  expires_at: ColumnType<string | Date, string, string>;
  ip_address: string | null;
  user_agent: string | null;
  created_at: ColumnType<string | Date, string, string>;
  updated_at: ColumnType<string | Date, string, string>;
}

/** better-auth's "account": how a user proves who they are (a password, or an OIDC provider). */
interface AuthIdentitiesTable {
  id: string;
  account_id: string;
  provider_id: string;
  user_id: string;
  password: string | null;
  created_at: ColumnType<string | Date, string, string>;
  updated_at: ColumnType<string | Date, string, string>;
}

export interface PeopleTables {
  store_secrets: StoreSecretsTable;
  attempts: AttemptsTable;
  invites: InvitesTable;
  reset_requests: ResetRequestsTable;
  conversations: ConversationsTable;
  auth_users: AuthUsersTable;
  auth_sessions: AuthSessionsTable;
  auth_identities: AuthIdentitiesTable;
}
