import type { Store } from '../store/store.ts';
import type { Account } from './create-account.ts';

export interface AccountDirectory {
  /** Throws when there is no such account. */
  find(accountId: number): Promise<Account>;
}

export function createAccountDirectory(store: Store): AccountDirectory {
  return {
    find: async (accountId) => {
      const row = await store.db
        .selectFrom('accounts')
        .innerJoin('auth_users', 'auth_users.id', 'accounts.owner_user_id')
        .select(['accounts.id', 'auth_users.email', 'accounts.is_admin'])
        .where('accounts.id', '=', accountId)
        .executeTakeFirstOrThrow();
      return { id: row.id, email: row.email, isAdmin: row.is_admin === 1 };
    },
  };
}
