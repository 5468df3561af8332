/** Links by which an administrator lets somebody in: used once, for one address or any, with credit or without. */
import { createHash, randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import { bookTopUp, type TopUpRefusal } from '../billing/ledger.ts';
import { type Statement, type Store, statement } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';

export interface Invite {
  readonly id: number;
  /** Null: whoever has the link. */
  readonly email: string | null;
  readonly creditNanoUsd: bigint;
  readonly note: string | null;
  readonly state: 'open' | 'used' | 'expired' | 'revoked';
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The account that came of it. */
  readonly usedByAccountId: number | null;
}

export interface InviteDraft {
  readonly email: string | null;
  readonly creditNanoUsd: bigint;
  readonly note: string | null;
  /** How long the link works. */
  readonly lifetimeMs: number;
  readonly createdByAccountId: number;
}

export interface Invites {
  /** The token is shown once; only its hash is kept. */
  create(draft: InviteDraft): Promise<{ readonly invite: Invite; readonly token: string }>;
  /** Newest first, at most 500. */
  list(): Promise<readonly Invite[]>;
  /** Undefined unless the link could be used now. */
  findOpen(token: string): Promise<Invite | undefined>;
  /** The same by its number, once a token has been shown for it. */
  findOpenById(id: number): Promise<Invite | undefined>;
  /** The oldest open invite that names this address. */
  findOpenFor(email: string): Promise<Invite | undefined>;
  /** False: there is none, or it was used already. */
  revoke(id: number): Promise<boolean>;
}

const listedMax = 500;

export function createInvites(store: Store, now: () => number): Invites {
  const findOpen = async (
    column: 'token_hash' | 'id' | 'email',
    value: string | number,
  ): Promise<Invite | undefined> => {
    const row = await store.db
      .selectFrom('invites')
      .selectAll()
      .where(column, '=', value)
      .where('used_at', 'is', null)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', now())
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? undefined : decodeInvite(row, now());
  };
  return {
    create: async (draft) => {
      const token = randomBytes(24).toString('base64url');
      const row = await store.db
        .insertInto('invites')
        .values({
          token_hash: hashToken(token),
          email: draft.email?.toLowerCase() ?? null,
          credit_nano_usd: draft.creditNanoUsd,
          note: draft.note,
          created_by_account_id: draft.createdByAccountId,
          created_at: now(),
          expires_at: now() + draft.lifetimeMs,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return { invite: decodeInvite(row, now()), token };
    },
    list: async () => {
      const rows = await store.db
        .selectFrom('invites')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(listedMax)
        .execute();
      return rows.map((row) => decodeInvite(row, now()));
    },
    findOpen: async (token) => await findOpen('token_hash', hashToken(token)),
    findOpenById: async (id) => await findOpen('id', id),
    findOpenFor: async (email) => await findOpen('email', email.toLowerCase()),
    revoke: async (id) => {
      const changed = await store.db
        .updateTable('invites')
        .set({ revoked_at: now() })
        .where('id', '=', id)
        .where('used_at', 'is', null)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return changed.numUpdatedRows > 0n;
    },
  };
}

/** First in the group that makes an account: takes the invite, or nothing of the group stands. */
export function claimInvite(
  invite: Invite,
  claim: { readonly email: string; readonly at: number },
): Statement<'invite_invalid'> {
  return statement(
    `update invites set used_at = ? where id = ? and used_at is null and revoked_at is null
       and expires_at > ? and (email is null or email = ?)`,
    [claim.at, invite.id, claim.at, claim.email.toLowerCase()],
    { rows: 1, otherwise: 'invite_invalid' },
  );
}

/** Last in that group: the account's number is known inside the database only. */
export function settleInvite(
  invite: Invite,
  settled: { readonly ownerUserId: string; readonly at: number },
): readonly Statement<TopUpRefusal>[] {
  const { ownerUserId, at } = settled;
  return [
    statement(
      'update invites set used_by_account_id = (select id from accounts where owner_user_id = ?) where id = ?',
      [ownerUserId, invite.id],
    ),
    ...(invite.creditNanoUsd === 0n
      ? []
      : bookTopUp({
          account: { ownerUserId },
          type: 'BONUS',
          amountNanoUsd: invite.creditNanoUsd,
          onceKey: `invite:${invite.id}`,
          createdAt: at,
        })),
  ];
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function decodeInvite(row: Selectable<Tables['invites']>, at: number): Invite {
  return {
    id: row.id,
    email: row.email,
    creditNanoUsd: row.credit_nano_usd,
    note: row.note,
    state: stateOf(row, at),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedByAccountId: row.used_by_account_id,
  };
}

function stateOf(row: Selectable<Tables['invites']>, at: number): Invite['state'] {
  if (row.used_at !== null) return 'used';
  if (row.revoked_at !== null) return 'revoked';
  return row.expires_at <= at ? 'expired' : 'open';
}
