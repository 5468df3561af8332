import { betterAuth } from 'better-auth';
import { describe, expect, it } from 'vitest';
import {
  createTestDatabase,
  openTestStore,
  openUntilTestEnds,
  storeKinds,
} from '../../test/services/test-stores.ts';
import { verifyLedger } from '../billing/verify-ledger.ts';
import { createKeyDirectory } from '../keys/key-directory.ts';
import type { Store } from '../store/store.ts';
import { statement } from '../store/store.ts';
import { authModels } from './auth-models.ts';
import { createAccount } from './create-account.ts';
import { seedBootstrap } from './seed-bootstrap.ts';

function createAuth(store: Store) {
  return betterAuth({
    ...authModels,
    database: { db: store.db, type: store.kind },
    baseURL: 'http://127.0.0.1:8787',
    secret: 'only-for-this-test-0123456789-abcdefghij',
    emailAndPassword: { enabled: true },
    logger: { disabled: true },
  });
}

const ada = {
  email: 'Ada@Example.org',
  password: 'correct horse battery',
  isAdmin: true,
  openingCreditNanoUsd: 5_000_000_000n,
};

describe.each(storeKinds)('accounts on %s', (kind) => {
  it('sign in through better-auth with the password they were made with', async () => {
    const store = await openTestStore(kind);
    await createAccount(store, ada);
    const auth = createAuth(store);
    const signedIn = await auth.api.signInEmail({
      body: { email: 'ada@example.org', password: ada.password },
    });
    expect(signedIn.user).toMatchObject({ email: 'ada@example.org', emailVerified: true });
    const sessions = await auth.$context.then((context) =>
      context.internalAdapter.findSession(signedIn.token),
    );
    expect(sessions?.user.email).toBe('ada@example.org');
    await expect(
      auth.api.signInEmail({ body: { email: 'ada@example.org', password: 'something else' } }),
    ).rejects.toMatchObject({ status: 'UNAUTHORIZED' });
  });

  it('made by better-auth itself fit the same tables', async () => {
    const store = await openTestStore(kind);
    const auth = createAuth(store);
    await auth.api.signUpEmail({ body: { email: 'eve@example.org', password: 'long enough', name: 'Eve' } });
    const users = await store.db.selectFrom('auth_users').select(['email', 'name']).execute();
    expect(users).toEqual([{ email: 'eve@example.org', name: 'Eve' }]);
  });

  it('are numbered from 1, and their opening credit is in the ledger', async () => {
    const store = await openTestStore(kind);
    const first = await createAccount(store, ada, () => 42);
    const second = await createAccount(store, { ...ada, email: 'bob@example.org', openingCreditNanoUsd: 0n });
    expect([first, second]).toEqual([
      { id: 1, email: 'ada@example.org', isAdmin: true },
      { id: 2, email: 'bob@example.org', isAdmin: true },
    ]);
    const entries = await store.db.selectFrom('ledger_entries').selectAll().orderBy('side').execute();
    expect(entries).toEqual([
      { transfer_id: 1, account_id: 1, side: 'account', amount_nano_usd: 5_000_000_000n, created_at: 42 },
      { transfer_id: 1, account_id: 1, side: 'grants', amount_nano_usd: -5_000_000_000n, created_at: 42 },
    ]);
    expect(await verifyLedger(store)).toEqual({
      isSound: true,
      accountCount: 2,
      transferCount: 1,
      holdCount: 0,
      problems: [],
    });
  });

  it('whose balance was tampered with fail the verification of the ledger', async () => {
    const store = await openTestStore(kind);
    await createAccount(store, ada);
    await store.commit([statement('update balances set balance_nano_usd = balance_nano_usd + 1', [])]);
    expect(await verifyLedger(store)).toMatchObject({
      isSound: false,
      problems: [{ accountId: 1, text: expect.stringContaining('5000000001') }],
    });
  });

  it.each([
    ['an e-mail address that is none', { ...ada, email: 'nobody' }, 'email'],
    ['a password of seven characters', { ...ada, password: '1234567' }, 'password'],
  ])('are refused with %s', async (_, account, param) => {
    const store = await openTestStore(kind);
    await expect(createAccount(store, account)).rejects.toMatchObject({ code: 'invalid_request', param });
  });

  it('are refused for an e-mail address that is taken, in whatever case', async () => {
    const store = await openTestStore(kind);
    await createAccount(store, ada);
    await expect(createAccount(store, { ...ada, email: 'ADA@example.ORG' })).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'email',
    });
  });
});

describe.each(storeKinds)('the first start on %s', (kind) => {
  it('makes an administrator with 100 USD and a key that works, once', async () => {
    const store = await openTestStore(kind);
    const seeded = await seedBootstrap(store);
    expect(seeded).toMatchObject({ accountId: 1, isPasswordGenerated: true, isApiKeyGenerated: true });
    const caller = await createKeyDirectory(store).authenticate(seeded?.apiKey);
    expect(caller).toMatchObject({ accountId: 1, scopes: null });
    const balance = await store.db
      .selectFrom('balances')
      .select('balance_nano_usd')
      .executeTakeFirstOrThrow();
    expect(balance.balance_nano_usd).toBe(100_000_000_000n);
    expect(await seedBootstrap(store)).toBeUndefined();
    const signedIn = await createAuth(store).api.signInEmail({
      body: { email: seeded?.email ?? '', password: seeded?.password ?? '' },
    });
    expect(signedIn.user.email).toBe('admin@perigee.localhost');
  });

  it('takes what the operator chose', async () => {
    const store = await openTestStore(kind);
    const chosen = {
      email: 'ops@example.org',
      password: 'chosen by the operator',
      apiKey: 'aaaaaaaa-0123456789-0123456789-012345',
      managementKey: 'bbbbbbbb-0123456789-0123456789-012345',
      creditUsd: '0.000000001',
    };
    expect(await seedBootstrap(store, chosen)).toMatchObject({
      email: chosen.email,
      apiKey: chosen.apiKey,
      isPasswordGenerated: false,
      isApiKeyGenerated: false,
    });
    const directory = createKeyDirectory(store);
    await expect(directory.authenticate(chosen.apiKey)).resolves.toMatchObject({ accountId: 1 });
    await expect(directory.authenticate(chosen.managementKey, 'management')).resolves.toMatchObject({
      accountId: 1,
    });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, transferCount: 1 });
  });

  it.each([
    ['a short API key', { apiKey: 'short' }],
    ['a short management key', { managementKey: 'short' }],
    [
      'two keys that begin alike',
      { apiKey: 'aaaaaaaa-0123456789-0123456789-1', managementKey: 'aaaaaaaa-0123456789-0123456789-2' },
    ],
    ['a short password', { password: 'short' }],
  ])('writes nothing when it is given %s', async (_, options) => {
    const store = await openTestStore(kind);
    await expect(seedBootstrap(store, options)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await store.db.selectFrom('accounts').selectAll().execute()).toEqual([]);
  });

  it('of several processes at once seeds exactly one administrator', async () => {
    const database = await createTestDatabase(kind);
    await (await openUntilTestEnds(database)).close();
    const stores = await Promise.all([1, 2, 3].map(async () => await openUntilTestEnds(database)));
    const seeded = await Promise.all(stores.map(async (store) => await seedBootstrap(store)));
    expect(seeded.filter((result) => result !== undefined)).toHaveLength(1);
    const [store] = stores;
    expect(await store?.db.selectFrom('accounts').select('id').execute()).toHaveLength(1);
  });
});
