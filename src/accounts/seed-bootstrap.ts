/** The first start: an administrator with credit, and a first API key, in one group. */
import { randomBytes } from 'node:crypto';
import { parseUsd } from '../billing/money.ts';
import { insertKey, prefixTaken } from '../keys/api-keys.ts';
import { drawKeySecret, keyPrefixOf } from '../keys/key-secret.ts';
import { type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { prepareAccount, readAccount } from './create-account.ts';

export interface BootstrapOptions {
  /** Default `admin@perigee.localhost`. */
  readonly email?: string | undefined;
  /** Drawn when undefined. */
  readonly password?: string | undefined;
  /** Drawn when undefined; at least 32 characters. */
  readonly apiKey?: string | undefined;
  /** Made only when given; at least 32 characters. */
  readonly managementKey?: string | undefined;
  /** US dollars, at most nine decimals; booked as INIT. Default 100. */
  readonly creditUsd?: string | number | undefined;
  readonly now?: (() => number) | undefined;
}

/** Shown once; nothing of it can be read again. */
export interface BootstrapResult {
  readonly accountId: number;
  readonly email: string;
  readonly password: string;
  /** False when the operator chose it: then there is no need to print it. */
  readonly isPasswordGenerated: boolean;
  readonly apiKey: string;
  readonly isApiKeyGenerated: boolean;
}

const defaultEmail = 'admin@perigee.localhost';
const defaultCreditUsd = 100;

/**
 * Seeds an empty store; undefined when it was seeded before (also when another replica was quicker). Throws
 * ApiError `invalid_request` when a setting cannot be used, `MoneyFormatError` when the credit is no amount.
 */
export async function seedBootstrap(
  store: Store,
  options: BootstrapOptions = {},
): Promise<BootstrapResult | undefined> {
  if (await isSeeded(store)) {
    return undefined;
  }
  const now = (options.now ?? Date.now)();
  const password = options.password ?? randomBytes(18).toString('base64url');
  const apiKey = options.apiKey ?? drawKeySecret();
  const account = await prepareAccount(
    {
      email: options.email ?? defaultEmail,
      password,
      isAdmin: true,
      openingCreditNanoUsd: parseUsd(options.creditUsd ?? defaultCreditUsd),
    },
    now,
  );
  const keys = prepareKeys(options, apiKey, { ownerUserId: account.ownerUserId, createdAt: now });
  try {
    await store.commit([
      // First, so that of two replicas the second fails here and on nothing else.
      statement("insert into store_marks (name, value) values ('bootstrapped', ?)", [now]),
      ...account.statements,
      ...keys,
    ]);
  } catch (thrown) {
    if (thrown instanceof StoreError && thrown.kind === 'unique' && (await isSeeded(store))) {
      return undefined;
    }
    throw thrown;
  }
  const { id, email } = await readAccount(store, account.ownerUserId);
  return {
    accountId: id,
    email,
    password,
    isPasswordGenerated: options.password === undefined,
    apiKey,
    isApiKeyGenerated: options.apiKey === undefined,
  };
}

function prepareKeys(
  options: BootstrapOptions,
  apiKey: string,
  owner: { readonly ownerUserId: string; readonly createdAt: number },
) {
  const { managementKey } = options;
  if (managementKey !== undefined && keyPrefixOf(managementKey) === keyPrefixOf(apiKey)) {
    throw prefixTaken(managementKey, undefined);
  }
  const shared = { account: { ownerUserId: owner.ownerUserId }, createdAt: owner.createdAt };
  const regular = insertKey({ ...shared, secret: apiKey, kind: 'regular', name: 'first key' });
  return managementKey === undefined
    ? [regular]
    : [
        regular,
        insertKey({ ...shared, secret: managementKey, kind: 'management', name: 'first management key' }),
      ];
}

/** True once there is any account, however it came to be. */
async function isSeeded(store: Store): Promise<boolean> {
  const account = await store.db.selectFrom('accounts').select('id').limit(1).executeTakeFirst();
  return account !== undefined;
}
