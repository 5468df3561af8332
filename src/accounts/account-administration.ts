/** What administrators see and change of accounts. Money is `billing/manual-bookings.ts`, ways in are `invites.ts`. */
import type { TopUpRefusal } from '../billing/ledger.ts';
import { ApiError } from '../errors.ts';
import { bumpKeyGeneration } from '../keys/api-keys.ts';
import { type Statement, type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import {
  type AccountOverview,
  type AccountPage,
  type AccountQuery,
  readAccounts,
} from './account-overviews.ts';
import { bookOpeningCredit, createAccount, type NewAccount } from './create-account.ts';

/** Undefined leaves a property as it is. */
export interface AccountChange {
  readonly isDisabled?: boolean | undefined;
  readonly isAdmin?: boolean | undefined;
  /** An administrator vouches for the address: then a provider's sign-in may find the account by it. */
  readonly isEmailVerified?: boolean | undefined;
}

export interface AccountAdministration {
  /** Newest first. */
  list(query: AccountQuery): Promise<AccountPage>;
  /** Throws ApiError `not_found`. */
  read(accountId: number): Promise<AccountOverview>;
  /** Undefined when nobody has this address. */
  findByEmail(email: string): Promise<AccountOverview | undefined>;
  /** Throws as `createAccount`. */
  create(newAccount: NewAccount): Promise<AccountOverview>;
  /**
   * A disabled account's sessions end at once and its keys within a second, in every process. Throws ApiError
   * `not_found`, or `conflict` when no administrator would be left.
   */
  change(accountId: number, change: AccountChange): Promise<AccountOverview>;
  /** Lets an account in and books its opening credit. Throws ApiError `not_found`, `conflict` (it does not wait). */
  approve(accountId: number): Promise<AccountOverview>;
  /** Removes an account that waits, as if it had never come. Throws as `approve`. */
  refuse(accountId: number): Promise<void>;
}

export interface AdministrationOptions {
  readonly now: () => number;
  /** INIT entry of an account that is approved. */
  readonly signUpCreditNanoUsd: bigint;
}

export function createAccountAdministration(
  store: Store,
  options: AdministrationOptions,
): AccountAdministration {
  const { now } = options;
  const read = async (accountId: number): Promise<AccountOverview> => {
    const { accounts } = await readAccounts(store, { accountId, limit: 1 }, now());
    const [account] = accounts;
    if (account === undefined) throw accountNotFound();
    return account;
  };
  return {
    list: async (query) => await readAccounts(store, query, now()),
    read,
    findByEmail: async (email) =>
      (await readAccounts(store, { email: email.toLowerCase(), limit: 1 }, now())).accounts[0],
    create: async (newAccount) => await read((await createAccount(store, newAccount, now)).id),
    change: async (accountId, change) => {
      const account = await read(accountId);
      if (change.isDisabled === false && account.state === 'awaits_approval') {
        throw new ApiError('conflict', { message: 'This account waits for approval; approve it instead.' });
      }
      const done = await store.commit(changeStatements(account, change, now()));
      if (!done.isCommitted) throw lastAdministrator();
      return await read(accountId);
    },
    approve: async (accountId) => {
      const account = await readWaiting(store, accountId);
      const approved = await store.commit(approveStatements(accountId, { ...options, ...account }));
      if (!approved.isCommitted) throw notWaiting();
      return await read(accountId);
    },
    refuse: async (accountId) => {
      const { ownerUserId } = await readWaiting(store, accountId);
      await removeAccount(store, accountId, ownerUserId);
    },
  };
}

/**
 * The generation comes first: its row is one for all, so two administrators who disable each other do it one after
 * the other, and the second is refused.
 */
function changeStatements(
  account: AccountOverview,
  change: AccountChange,
  at: number,
): readonly Statement<'last_administrator'>[] {
  const { id } = account;
  const statements: Statement<'last_administrator'>[] = [bumpKeyGeneration];
  const isAnotherLeft = `(is_admin = 0 or disabled_at is not null or exists
    (select 1 from accounts as others where others.is_admin = 1 and others.disabled_at is null and others.id <> ?))`;
  const guard = { rows: 1, otherwise: 'last_administrator' } as const;
  if (change.isAdmin === true) {
    statements.push(statement('update accounts set is_admin = 1 where id = ?', [id]));
  }
  if (change.isAdmin === false) {
    statements.push(
      statement(`update accounts set is_admin = 0 where id = ? and ${isAnotherLeft}`, [id, id], guard),
    );
  }
  if (change.isDisabled === true) {
    statements.push(
      statement(
        `update accounts set disabled_at = coalesce(disabled_at, ?) where id = ? and ${isAnotherLeft}`,
        [at, id, id],
        guard,
      ),
      statement(
        'delete from auth_sessions where user_id = (select owner_user_id from accounts where id = ?)',
        [id],
      ),
    );
  }
  if (change.isDisabled === false) {
    statements.push(statement('update accounts set disabled_at = null where id = ?', [id]));
  }
  if (change.isEmailVerified !== undefined) {
    statements.push(
      statement(
        `update auth_users set email_verified = ?
         where id = (select owner_user_id from accounts where id = ?)`,
        [change.isEmailVerified, id],
      ),
    );
  }
  return statements;
}

function approveStatements(
  accountId: number,
  approval: AdministrationOptions & { readonly ownerUserId: string },
): readonly Statement<TopUpRefusal | 'not_waiting'>[] {
  return [
    statement(
      'update accounts set disabled_at = null, awaits_approval = 0 where id = ? and awaits_approval = 1',
      [accountId],
      { rows: 1, otherwise: 'not_waiting' },
    ),
    ...bookOpeningCredit({
      account: { id: accountId },
      ownerUserId: approval.ownerUserId,
      openingCreditNanoUsd: approval.signUpCreditNanoUsd,
      createdAt: approval.now(),
    }),
    bumpKeyGeneration,
  ];
}

async function readWaiting(store: Store, accountId: number): Promise<{ readonly ownerUserId: string }> {
  const row = await store.db
    .selectFrom('accounts')
    .select(['owner_user_id', 'awaits_approval'])
    .where('id', '=', accountId)
    .executeTakeFirst();
  if (row === undefined) throw accountNotFound();
  if (row.awaits_approval === 0) throw notWaiting();
  return { ownerUserId: row.owner_user_id };
}

async function removeAccount(store: Store, accountId: number, ownerUserId: string): Promise<void> {
  try {
    const removed = await store.commit([
      statement('delete from balances where account_id = ?', [accountId]),
      statement('delete from reset_requests where account_id = ?', [accountId]),
      statement('delete from accounts where id = ? and awaits_approval = 1', [accountId], {
        rows: 1,
        otherwise: 'not_waiting',
      }),
      // Sessions and identities go with their user.
      statement('delete from auth_users where id = ?', [ownerUserId]),
    ]);
    if (!removed.isCommitted) throw notWaiting();
  } catch (thrown) {
    if (!(thrown instanceof StoreError && thrown.kind === 'foreign-key')) throw thrown;
    throw new ApiError('conflict', {
      message: 'This account owns keys or entries in the ledger already; disable it instead.',
      cause: thrown,
    });
  }
}

function accountNotFound(): ApiError {
  return new ApiError('not_found', { message: 'There is no such account.' });
}

function notWaiting(): ApiError {
  return new ApiError('conflict', { message: 'This account does not wait for approval.' });
}

function lastAdministrator(): ApiError {
  return new ApiError('conflict', { message: 'This is the last administrator; make another one first.' });
}
