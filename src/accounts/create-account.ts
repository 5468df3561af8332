/** Accounts: a person, an account with a number, and its balance, written together or not at all. */
import { randomUUID } from 'node:crypto';
import { hashPassword } from 'better-auth/crypto';
import { z } from 'zod';
import { bookTopUp } from '../billing/ledger.ts';
import { ApiError } from '../errors.ts';
import { type Statement, type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';

export interface NewAccount {
  readonly email: string;
  /** 8 to 128 characters (better-auth's bounds). */
  readonly password: string;
  readonly isAdmin: boolean;
  /** Nano-dollars; 0n books nothing. */
  readonly openingCreditNanoUsd: bigint;
}

export interface Account {
  /** The number, from 1; `user_id` on the wire. */
  readonly id: number;
  readonly email: string;
  readonly isAdmin: boolean;
}

const newAccountSchema = z.object({
  email: z.email('is not an e-mail address').max(254).toLowerCase(),
  password: z.string().min(8, 'must have at least 8 characters').max(128, 'may have at most 128 characters'),
});

/** Throws ApiError `invalid_request` on a bad e-mail address or password, or when the address is taken. */
export async function createAccount(
  store: Store,
  newAccount: NewAccount,
  now: () => number = Date.now,
): Promise<Account> {
  const prepared = await prepareAccount(newAccount, now());
  try {
    await store.commit(prepared.statements);
  } catch (thrown) {
    if (thrown instanceof StoreError && thrown.kind === 'unique') {
      throw new ApiError('invalid_request', {
        message: 'An account with this e-mail address exists already.',
        param: 'email',
        cause: thrown,
      });
    }
    throw thrown;
  }
  return await readAccount(store, prepared.ownerUserId);
}

export interface PreparedAccount {
  /** Names the account inside the group that creates it, where its number is not known yet. */
  readonly ownerUserId: string;
  readonly statements: readonly Statement<'account_not_found'>[];
}

/** Checks the input, hashes the password (about 60 ms, off the event loop), and makes the statements. */
export async function prepareAccount(newAccount: NewAccount, createdAt: number): Promise<PreparedAccount> {
  const checked = newAccountSchema.safeParse(newAccount);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const field = String(issue?.path[0] ?? 'account');
    throw new ApiError('invalid_request', {
      message: `Invalid request: ${field} ${issue?.message ?? 'is invalid'}.`,
      param: field,
    });
  }
  const { email, password } = checked.data;
  const ownerUserId = randomUUID();
  const time = new Date(createdAt).toISOString();
  return {
    ownerUserId,
    statements: [
      // Verified: whoever starts the server vouches for the address, and there may be no mail server to ask.
      statement(
        `insert into auth_users (id, name, email, email_verified, created_at, updated_at)
         values (?, ?, ?, ?, ?, ?)`,
        [ownerUserId, email.split('@')[0], email, true, time, time],
      ),
      // better-auth's own shape of a password: provider `credential`, its account id being the user's.
      statement(
        `insert into auth_identities (id, user_id, account_id, provider_id, password, created_at, updated_at)
         values (?, ?, ?, 'credential', ?, ?, ?)`,
        [randomUUID(), ownerUserId, ownerUserId, await hashPassword(password), time, time],
      ),
      statement('insert into accounts (owner_user_id, is_admin, created_at) values (?, ?, ?)', [
        ownerUserId,
        newAccount.isAdmin ? 1 : 0,
        createdAt,
      ]),
      statement(
        `insert into balances (account_id, balance_nano_usd, held_nano_usd)
         select id, 0, 0 from accounts where owner_user_id = ?`,
        [ownerUserId],
      ),
      ...bookOpeningCredit(ownerUserId, newAccount.openingCreditNanoUsd, createdAt),
    ],
  };
}

function bookOpeningCredit(
  ownerUserId: string,
  amountNanoUsd: bigint,
  createdAt: number,
): readonly Statement<'account_not_found'>[] {
  if (amountNanoUsd < 0n) {
    throw new ApiError('invalid_request', { message: 'The opening credit must not be negative.' });
  }
  return amountNanoUsd === 0n
    ? []
    : bookTopUp({
        account: { ownerUserId },
        type: 'INIT',
        amountNanoUsd,
        onceKey: `init:${ownerUserId}`,
        createdAt,
      });
}

/** The account of a person. Throws when there is none. */
export async function readAccount(store: Store, ownerUserId: string): Promise<Account> {
  const row = await store.db
    .selectFrom('accounts')
    .innerJoin('auth_users', 'auth_users.id', 'accounts.owner_user_id')
    .select(['accounts.id', 'auth_users.email', 'accounts.is_admin'])
    .where('accounts.owner_user_id', '=', ownerUserId)
    .executeTakeFirstOrThrow();
  return { id: row.id, email: row.email, isAdmin: row.is_admin === 1 };
}
