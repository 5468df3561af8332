/** Accounts: a person, an account with a number, and its balance, written together or not at all. */
import { randomUUID } from 'node:crypto';
import { hashPassword } from 'better-auth/crypto';
import { z } from 'zod';
import { type AccountRef, bookTopUp, type TopUpRefusal } from '../billing/ledger.ts';
import { ApiError } from '../errors.ts';
import { type Statement, type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { passwordLength } from './password-length.ts';

export interface NewAccount {
  readonly email: string;
  /** 8 to 128 characters (better-auth's bounds). */
  readonly password: string;
  readonly isAdmin: boolean;
  /** Nano-dollars; 0n books nothing. */
  readonly openingCreditNanoUsd: bigint;
  /** Default: what stands before the @. */
  readonly name?: string | undefined;
  /** Default true: whoever makes the account vouches for the address. */
  readonly isEmailVerified?: boolean;
  /** Disabled until an administrator approves it, and without credit until then. */
  readonly awaitsApproval?: boolean;
}

export interface Account {
  /** The number, from 1; `user_id` on the wire. */
  readonly id: number;
  readonly email: string;
  readonly isAdmin: boolean;
}

const newAccountSchema = z.object({
  email: z.email('is not an e-mail address').max(254).toLowerCase(),
  password: z
    .string()
    .min(passwordLength.min, `must have at least ${passwordLength.min} characters`)
    .max(passwordLength.max, `may have at most ${passwordLength.max} characters`),
  name: z.string().trim().min(1, 'must not be empty').max(100, 'may have at most 100 characters').optional(),
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
    throw thrown instanceof StoreError && thrown.kind === 'unique' ? emailTaken(thrown) : thrown;
  }
  return await readAccount(store, prepared.ownerUserId);
}

/** What to throw when the unique index of the addresses refused one. */
export function emailTaken(cause: unknown): ApiError {
  return new ApiError('invalid_request', {
    message: 'An account with this e-mail address exists already.',
    param: 'email',
    cause,
  });
}

export interface PreparedAccount {
  /** Names the account inside the group that creates it, where its number is not known yet. */
  readonly ownerUserId: string;
  readonly statements: readonly Statement<TopUpRefusal>[];
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
  const { email, password, name } = checked.data;
  const ownerUserId = randomUUID();
  const time = new Date(createdAt).toISOString();
  const isEmailVerified = newAccount.isEmailVerified ?? true;
  return {
    ownerUserId,
    statements: [
      statement(
        `insert into auth_users (id, name, email, email_verified, created_at, updated_at)
         values (?, ?, ?, ?, ?, ?)`,
        [ownerUserId, name ?? email.split('@')[0], email, isEmailVerified, time, time],
      ),
      // better-auth's own shape of a password: provider `credential`, its account id being the user's.
      statement(
        `insert into auth_identities (id, user_id, account_id, provider_id, password, created_at, updated_at)
         values (?, ?, ?, 'credential', ?, ?, ?)`,
        [randomUUID(), ownerUserId, ownerUserId, await hashPassword(password), time, time],
      ),
      ...insertAccount({ ...newAccount, ownerUserId, createdAt }),
    ],
  };
}

/** The account of a person who is in `auth_users` already: its number, its balance, its opening credit. */
export function insertAccount(
  account: Pick<NewAccount, 'isAdmin' | 'awaitsApproval' | 'openingCreditNanoUsd'> & {
    readonly ownerUserId: string;
    readonly createdAt: number;
  },
): readonly Statement<TopUpRefusal>[] {
  const { ownerUserId, createdAt, openingCreditNanoUsd } = account;
  const awaitsApproval = account.awaitsApproval ?? false;
  return [
    statement(
      `insert into accounts (owner_user_id, is_admin, disabled_at, awaits_approval, created_at)
       values (?, ?, ?, ?, ?)`,
      [
        ownerUserId,
        account.isAdmin ? 1 : 0,
        awaitsApproval ? createdAt : null,
        awaitsApproval ? 1 : 0,
        createdAt,
      ],
    ),
    statement(
      `insert into balances (account_id, balance_nano_usd, held_nano_usd)
       select id, 0, 0 from accounts where owner_user_id = ?`,
      [ownerUserId],
    ),
    // Booked at the approval instead: an account that was refused leaves no entry in a ledger that forgets nothing.
    ...(awaitsApproval
      ? []
      : bookOpeningCredit({ account: { ownerUserId }, ownerUserId, openingCreditNanoUsd, createdAt })),
  ];
}

/** The INIT entry, once per account. Throws ApiError `invalid_request` when it is negative; 0n books nothing. */
export function bookOpeningCredit(opening: {
  readonly account: AccountRef;
  readonly ownerUserId: string;
  readonly openingCreditNanoUsd: bigint;
  readonly createdAt: number;
}): readonly Statement<TopUpRefusal>[] {
  const { account, ownerUserId, openingCreditNanoUsd: amountNanoUsd, createdAt } = opening;
  if (amountNanoUsd < 0n) {
    throw new ApiError('invalid_request', { message: 'The opening credit must not be negative.' });
  }
  return amountNanoUsd === 0n
    ? []
    : bookTopUp({ account, type: 'INIT', amountNanoUsd, onceKey: `init:${ownerUserId}`, createdAt });
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
