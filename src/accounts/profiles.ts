/** What a person may see and change of themselves. */
import { ApiError } from '../errors.ts';
import { type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { emailTaken } from './create-account.ts';
import type { Auth } from './create-auth.ts';

export interface Profile {
  readonly accountId: number;
  readonly email: string;
  readonly name: string;
  readonly isAdmin: boolean;
  /** False for somebody who came through a provider and never set one. */
  readonly hasPassword: boolean;
  readonly createdAt: number;
  readonly balanceNanoUsd: bigint;
  readonly heldNanoUsd: bigint;
}

export interface ProfileChange {
  readonly name?: string | undefined;
  /** Needs `currentPassword`: whoever finds an open session must not be able to take the account over. */
  readonly email?: string | undefined;
  readonly currentPassword?: string | undefined;
}

export interface Profiles {
  /** Throws when there is no such account. */
  read(accountId: number): Promise<Profile>;
  /** Throws ApiError `sign_in_failed` (wrong password), `invalid_request` (address taken, or no password yet). */
  change(
    person: { readonly accountId: number; readonly userId: string },
    change: ProfileChange,
  ): Promise<Profile>;
}

export function createProfiles(
  store: Store,
  options: { readonly now: () => number; openAuth(): Promise<Auth> },
): Profiles {
  return {
    read: async (accountId) => await readProfile(store, accountId),
    change: async ({ accountId, userId }, change) => {
      const time = new Date(options.now()).toISOString();
      if (change.name !== undefined) {
        await store.commit([
          statement('update auth_users set name = ?, updated_at = ? where id = ?', [
            change.name,
            time,
            userId,
          ]),
        ]);
      }
      if (change.email !== undefined) {
        await checkPassword(await options.openAuth(), userId, change.currentPassword);
        await changeEmail(store, userId, { email: change.email, time });
      }
      return await readProfile(store, accountId);
    },
  };
}

async function readProfile(store: Store, accountId: number): Promise<Profile> {
  const row = await store.db
    .selectFrom('accounts')
    .innerJoin('auth_users', 'auth_users.id', 'accounts.owner_user_id')
    .innerJoin('balances', 'balances.account_id', 'accounts.id')
    .leftJoin('auth_identities', (join) =>
      join
        .onRef('auth_identities.user_id', '=', 'auth_users.id')
        .on('auth_identities.provider_id', '=', 'credential'),
    )
    .select([
      'accounts.id',
      'accounts.is_admin',
      'accounts.created_at as account_created_at',
      'auth_users.email',
      'auth_users.name',
      'auth_identities.password',
      'balance_nano_usd',
      'held_nano_usd',
    ])
    .where('accounts.id', '=', accountId)
    .executeTakeFirstOrThrow();
  return {
    accountId: row.id,
    email: row.email,
    name: row.name,
    isAdmin: row.is_admin === 1,
    hasPassword: row.password !== null,
    createdAt: row.account_created_at,
    balanceNanoUsd: row.balance_nano_usd,
    heldNanoUsd: row.held_nano_usd,
  };
}

async function checkPassword(auth: Auth, userId: string, password: string | undefined): Promise<void> {
  if (password === undefined) {
    throw new ApiError('invalid_request', {
      message: 'Invalid request: current_password: is required to change the e-mail address.',
      param: 'current_password',
    });
  }
  const { internalAdapter, password: hashing } = await auth.$context;
  const identity = await internalAdapter.findCredentialAccount(userId);
  if (identity?.password == null) {
    throw new ApiError('invalid_request', {
      message: 'Set a password first: ask for a new one on the sign-in page.',
      param: 'current_password',
    });
  }
  if (!(await hashing.verify({ hash: identity.password, password }))) throw new ApiError('sign_in_failed');
}

/** Not verified any more: nobody has shown that the new address is theirs. */
async function changeEmail(
  store: Store,
  userId: string,
  change: { readonly email: string; readonly time: string },
): Promise<void> {
  try {
    await store.commit([
      statement(
        'update auth_users set email = ?, email_verified = ?, updated_at = ? where id = ? and email <> ?',
        [change.email, false, change.time, userId, change.email],
      ),
    ]);
  } catch (thrown) {
    throw thrown instanceof StoreError && thrown.kind === 'unique' ? emailTaken(thrown) : thrown;
  }
}
