/** What a person may see and change of themselves. */
import { ApiError } from '../errors.ts';
import { type Statement, type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { noPassword, type WebClient, wrongPassword } from './auth-calls.ts';
import { emailTaken } from './create-account.ts';
import type { Auth } from './create-auth.ts';
import type { CountPassword } from './password-attempts.ts';

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
  /**
   * All of it or nothing. Throws ApiError `sign_in_failed` (wrong password), `rate_limit_reached` (too many of them),
   * `invalid_request` (address taken, or no password yet).
   */
  change(person: Person, change: ProfileChange, client: WebClient): Promise<Profile>;
}

/** Who asks: `WebSession` has it. */
interface Person {
  readonly accountId: number;
  readonly userId: string;
  readonly email: string;
}

interface ProfileOptions {
  readonly now: () => number;
  readonly countPassword: CountPassword;
  openAuth(): Promise<Auth>;
}

export function createProfiles(store: Store, options: ProfileOptions): Profiles {
  return {
    read: async (accountId) => await readProfile(store, accountId),
    change: async (person, change, client) => {
      if (change.email !== undefined) {
        await checkPassword(options, person, { password: change.currentPassword, client });
      }
      await writeChange(store, person.userId, { ...change, at: options.now() });
      return await readProfile(store, person.accountId);
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

async function checkPassword(
  { countPassword, openAuth }: ProfileOptions,
  { userId, email }: Person,
  { password, client }: { readonly password: string | undefined; readonly client: WebClient },
): Promise<void> {
  if (password === undefined) {
    throw new ApiError('invalid_request', {
      message: 'Invalid request: current_password: is required to change the e-mail address.',
      param: 'current_password',
    });
  }
  const { internalAdapter, password: hashing } = await (await openAuth()).$context;
  const identity = await internalAdapter.findCredentialAccount(userId);
  if (identity?.password == null) throw noPassword();
  const forgetAttempts = await countPassword(email, client);
  if (!(await hashing.verify({ hash: identity.password, password }))) throw wrongPassword();
  await forgetAttempts();
}

async function writeChange(
  store: Store,
  userId: string,
  { name, email, at }: ProfileChange & { readonly at: number },
): Promise<void> {
  const time = new Date(at).toISOString();
  const statements: Statement[] = [];
  if (name !== undefined) {
    statements.push(
      statement('update auth_users set name = ?, updated_at = ? where id = ?', [name, time, userId]),
    );
  }
  if (email !== undefined) {
    // Not verified any more: nobody has shown that the new address is theirs.
    statements.push(
      statement(
        'update auth_users set email = ?, email_verified = ?, updated_at = ? where id = ? and email <> ?',
        [email, false, time, userId, email],
      ),
      // Links for a new password went to the old address.
      statement('delete from auth_verifications where value = ?', [userId]),
    );
  }
  try {
    await store.commit(statements);
  } catch (thrown) {
    throw thrown instanceof StoreError && thrown.kind === 'unique' ? emailTaken(thrown) : thrown;
  }
}
