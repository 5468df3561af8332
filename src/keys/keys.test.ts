import { describe, expect, it } from 'vitest';
import {
  createTestDatabase,
  openTestStore,
  openUntilTestEnds,
  storeKinds,
} from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import { type Store, statement } from '../store/store.ts';
import { createKey, disableKey, enableKey, listKeys } from './api-keys.ts';
import { createKeyDirectory } from './key-directory.ts';
import { drawKeySecret } from './key-secret.ts';

async function addAccount(store: Store): Promise<number> {
  const account = await createAccount(store, {
    email: 'someone@example.org',
    password: 'long enough',
    isAdmin: false,
    openingCreditNanoUsd: 0n,
  });
  return account.id;
}

/** A clock that moves only when a test moves it. */
function createClock(startMs = 1_700_000_000_000) {
  let ms = startMs;
  return {
    now: () => ms,
    advance: (byMs: number) => {
      ms += byMs;
    },
  };
}

function createTestDirectory(store: Store, clock = createClock()) {
  return createKeyDirectory(store, { now: clock.now, monotonicNow: clock.now });
}

describe.each(storeKinds)('API keys on %s', (kind) => {
  it('give their caller: account, prefix, scopes, origin', async () => {
    const store = await openTestStore(kind);
    const accountId = await addAccount(store);
    const { secret, key } = await createKey(store, { accountId, name: 'ci', scopes: ['chat'] });
    const caller = await createTestDirectory(store).authenticate(secret);
    expect(caller).toEqual({
      accountId,
      keyId: key.id,
      keyPrefix: secret.slice(0, 8),
      scopes: ['chat'],
      origin: 'api',
    });
  });

  it('are stored without their secret', async () => {
    const store = await openTestStore(kind);
    const { secret } = await createKey(store, { accountId: await addAccount(store) });
    const rows = await store.db.selectFrom('api_keys').selectAll().execute();
    expect(rows).toHaveLength(1);
    expect(
      JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain(secret.slice(8));
  });

  it('are listed oldest first with limit and scopes', async () => {
    const store = await openTestStore(kind);
    const accountId = await addAccount(store);
    const limit = { retention: 'week', thresholdNanoUsd: 25_000_000_000n } as const;
    const first = await createKey(store, { accountId, limit, expiresAt: 1_800_000_000_000 }, () => 5);
    const second = await createKey(store, { accountId, kind: 'management' });
    await createKey(store, { accountId, kind: 'playground' });
    expect(await listKeys(store, { accountId })).toEqual([first.key, second.key]);
    expect(first.key).toMatchObject({ limit, expiresAt: 1_800_000_000_000, createdAt: 5, isDisabled: false });
    expect(await listKeys(store, { accountId: accountId + 1 })).toEqual([]);
  });

  it('with a chosen secret whose first 8 characters are taken are refused', async () => {
    const store = await openTestStore(kind);
    const accountId = await addAccount(store);
    await createKey(store, { accountId, secret: 'abcdefgh-first-0123456789-0123456789' });
    await expect(
      createKey(store, { accountId, secret: 'abcdefgh-second-0123456789-012345678' }),
    ).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('abcdefgh'),
    });
  });

  it('with a chosen secret below 32 characters or of an unknown account are refused', async () => {
    const store = await openTestStore(kind);
    const accountId = await addAccount(store);
    await expect(createKey(store, { accountId, secret: 'too-short' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(createKey(store, { accountId: 4711 })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['malformed', 'Bearer x'],
    ['unknown', drawKeySecret()],
  ])('that are %s get 401', async (_, secret) => {
    const store = await openTestStore(kind);
    await expect(createTestDirectory(store).authenticate(secret)).rejects.toMatchObject({
      code: 'invalid_api_key',
      status: 401,
    });
  });

  it('stop when they expire, cached or not', async () => {
    const store = await openTestStore(kind);
    const clock = createClock();
    const directory = createTestDirectory(store, clock);
    const accountId = await addAccount(store);
    const { secret } = await createKey(store, { accountId, expiresAt: clock.now() + 1_000 });
    await directory.authenticate(secret);
    clock.advance(999);
    await directory.authenticate(secret);
    clock.advance(1);
    await expect(directory.authenticate(secret)).rejects.toMatchObject({ code: 'invalid_api_key' });
  });

  it('disabled by another process stop within a second, and work again when enabled', async () => {
    const database = await createTestDatabase(kind);
    const server = await openUntilTestEnds(database);
    const command = await openUntilTestEnds(database);
    const clock = createClock();
    const directory = createTestDirectory(server, clock);
    const { secret, key } = await createKey(command, { accountId: await addAccount(command) });
    await directory.authenticate(secret);
    await disableKey(command, key.prefix);
    clock.advance(1_000);
    await expect(directory.authenticate(secret)).rejects.toMatchObject({ code: 'invalid_api_key' });
    expect(await enableKey(command, key.prefix)).toMatchObject({ isDisabled: false });
    clock.advance(1_000);
    await expect(directory.authenticate(secret)).resolves.toMatchObject({ keyPrefix: key.prefix });
  });

  it('of a disabled account stop within a second', async () => {
    const store = await openTestStore(kind);
    const clock = createClock();
    const directory = createTestDirectory(store, clock);
    const { secret } = await createKey(store, { accountId: await addAccount(store) });
    await directory.authenticate(secret);
    await store.commit([
      statement('update accounts set disabled_at = 1', []),
      statement("update store_marks set value = value + 1 where name = 'key-generation'", []),
    ]);
    clock.advance(1_000);
    await expect(directory.authenticate(secret)).rejects.toMatchObject({ code: 'invalid_api_key' });
  });

  it('are answered from memory while nothing changed, and refused when the store cannot be asked', async () => {
    const store = await openTestStore(kind);
    const clock = createClock();
    const directory = createTestDirectory(store, clock);
    const { secret } = await createKey(store, { accountId: await addAccount(store) });
    await directory.authenticate(secret);
    await store.close();
    await expect(directory.authenticate(secret)).resolves.toMatchObject({ origin: 'api' });
    clock.advance(1_000);
    await expect(directory.authenticate(secret)).rejects.toThrow();
  });

  it('are for inference or for management, never both', async () => {
    const store = await openTestStore(kind);
    const directory = createTestDirectory(store);
    const accountId = await addAccount(store);
    const regular = await createKey(store, { accountId });
    const management = await createKey(store, { accountId, kind: 'management' });
    await expect(directory.authenticate(management.secret)).rejects.toMatchObject({ code: 'scope_denied' });
    await expect(directory.authenticate(regular.secret, 'management')).rejects.toMatchObject({
      code: 'scope_denied',
    });
    await expect(directory.authenticate(management.secret, 'management')).resolves.toMatchObject({
      accountId,
    });
    await expect(directory.authenticate(management.secret, 'any')).resolves.toMatchObject({ accountId });
  });

  it('that nobody made may be tried 200 times a second from one network, which shuts nobody else out', async () => {
    const store = await openTestStore(kind);
    const clock = createClock();
    const directory = createTestDirectory(store, clock);
    const accountId = await addAccount(store);
    const [used, fresh] = [await createKey(store, { accountId }), await createKey(store, { accountId })];
    await directory.authenticate(used.secret, 'any', '192.0.2.1');
    const guess = async () =>
      await directory.authenticate(drawKeySecret(), 'any', '192.0.2.1').then(
        () => expect.unreachable('a guessed key was accepted'),
        ({ code }: { code: string }) => code,
      );
    const codes: string[] = [];
    for (let guesses = 0; guesses < 210; guesses += 1) codes.push(await guess());
    expect(codes).toEqual([...Array(200).fill('invalid_api_key'), ...Array(10).fill('rate_limit_reached')]);
    // A key that was read before goes on beside the guesses, also after a change.
    await directory.authenticate(used.secret, 'any', '192.0.2.1');
    await disableKey(store, used.key.prefix);
    await enableKey(store, used.key.prefix);
    clock.advance(900);
    await directory.authenticate(used.secret, 'any', '192.0.2.1');
    for (let guesses = 0; guesses < 200; guesses += 1) await guess();
    // One that nobody had read yet comes in from anywhere else.
    expect(await guess()).toBe('rate_limit_reached');
    expect(await directory.authenticate(fresh.secret, 'any', '192.0.2.2')).toMatchObject({ accountId });
  });

  it('that nobody made, tried all at once, shut their network out for no longer than others', async () => {
    const store = await openTestStore(kind);
    const clock = createClock();
    const directory = createTestDirectory(store, clock);
    const { secret } = await createKey(store, { accountId: await addAccount(store) });
    const guesses = Array.from({ length: 600 }, async () => await directory.authenticate(drawKeySecret()));
    const codes = (await Promise.allSettled(guesses)).map(({ status }) => status);
    expect(new Set(codes)).toEqual(new Set(['rejected']));
    await expect(directory.authenticate(secret)).rejects.toMatchObject({ code: 'rate_limit_reached' });
    clock.advance(100);
    expect(await directory.authenticate(secret)).toMatchObject({ origin: 'api' });
  });

  it('remember to the minute when they were last used', async () => {
    const store = await openTestStore(kind);
    const clock = createClock();
    const directory = createTestDirectory(store, clock);
    const { secret, key } = await createKey(store, { accountId: await addAccount(store) });
    const used = clock.now();
    await directory.authenticate(secret);
    clock.advance(59_999);
    await directory.authenticate(secret);
    // On SQLite the note is written in order; on PostgreSQL closing waits for it.
    await store.commit([statement('update accounts set is_admin = 0', [])]);
    await expect
      .poll(async () => (await listKeys(store))[0])
      .toMatchObject({ prefix: key.prefix, lastUsedAt: used });
  });
});
