/** Sign-in by a provider: a small real one on loopback, over HTTP, with signed tokens. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { type OidcServer, startOidcServer } from '../../accounts/__fixtures__/start-oidc-server.ts';
import type { PeopleSettings } from '../../accounts/create-people.ts';
import { createInvites } from '../../accounts/invites.ts';
import { verifyLedger } from '../../billing/verify-ledger.ts';
import { type Browser, createBrowser } from '../__fixtures__/browser.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';

interface Setting {
  readonly platform: PlatformApp;
  readonly provider: OidcServer;
}

async function open(kind: 'sqlite' | 'postgres', settings: Partial<PeopleSettings> = {}): Promise<Setting> {
  const provider = await startOidcServer();
  const { issuer, clientId, clientSecret } = provider;
  const people = { oidc: { issuer, clientId, clientSecret, name: 'Test SSO' }, ...settings };
  return { platform: await openPlatformApp(kind, { people }), provider };
}

/** Signs in as a browser does, and returns where it ends. */
async function signIn({ provider }: Setting, browser: Browser, invite?: string): Promise<string> {
  const start = { return_to: '/app/keys', ...(invite !== undefined && { invite }) };
  const { url } = (await browser.post('/api/auth/oidc', start)).json();
  const back = new URL(await provider.authorize(url));
  expect(`${back.origin}${back.pathname}`).toBe('http://127.0.0.1:8787/api/auth/callback/oidc');
  // A navigation: no header of ours, and the provider's page behind it.
  const headers = { 'x-perigee-csrf': '', 'sec-fetch-site': 'cross-site', origin: '' };
  const answer = await browser.send({ url: `${back.pathname}${back.search}`, headers });
  expect(answer.statusCode).toBe(302);
  return String(answer.headers.location);
}

const userOf = async (browser: Browser) => (await browser.send({ url: '/api/session' })).json().user;

describe.each(storeKinds)('sign-in by a provider on %s', (kind) => {
  it('makes an account the first time, and finds it again', async () => {
    const setting = await open(kind, { signUpCreditNanoUsd: 1_000_000_000n });
    const { server } = (await createBrowser(setting.platform.app).send({ url: '/api/session' })).json();
    expect(server.oidc).toEqual({ name: 'Test SSO' });
    const browser = createBrowser(setting.platform.app);
    expect(await signIn(setting, browser)).toBe('/app/keys');
    expect(await userOf(browser)).toMatchObject({
      account_id: 2,
      email: 'grace@example.org',
      name: 'Grace',
      has_password: false,
      balance_usd: 1,
    });
    const again = createBrowser(setting.platform.app);
    await signIn(setting, again);
    expect((await userOf(again)).account_id).toBe(2);
    const { store } = setting.platform;
    expect(await store.db.selectFrom('accounts').select('id').execute()).toHaveLength(2);
    expect((await verifyLedger(store)).problems).toEqual([]);
  });

  it('waits for approval or needs an invite, as every sign-up', async () => {
    const waiting = await open(kind, { signUpMode: 'approval' });
    const browser = createBrowser(waiting.platform.app);
    expect(await signIn(waiting, browser)).toBe('/app/sign-in?error=account_awaits_approval');
    expect(await userOf(browser)).toBeNull();
    const closed = await open(kind, { signUpMode: 'invite' });
    const other = createBrowser(closed.platform.app);
    expect(await signIn(closed, other)).toBe('/app/sign-in?error=sign_up_closed');
    const { store } = closed.platform;
    expect(await store.db.selectFrom('auth_users').select('id').execute()).toHaveLength(1);
    await createInvites(store, Date.now).create({
      email: 'grace@example.org',
      creditNanoUsd: 5_000_000_000n,
      note: null,
      lifetimeMs: 60_000,
      createdByAccountId: 1,
    });
    expect(await signIn(closed, other)).toBe('/app/keys');
    expect(await userOf(other)).toMatchObject({ email: 'grace@example.org', balance_usd: 5 });
  });

  it('lets in whoever came by an invite’s link, once, and nobody by a link for another address', async () => {
    const setting = await open(kind, { signUpMode: 'invite' });
    const { store } = setting.platform;
    const invites = createInvites(store, Date.now);
    const draft = { note: null, lifetimeMs: 60_000, createdByAccountId: 1, creditNanoUsd: 5_000_000_000n };
    const foreign = await invites.create({ ...draft, email: 'eve@example.org' });
    const browser = createBrowser(setting.platform.app);
    expect(await signIn(setting, browser, foreign.token)).toBe('/app/sign-in?error=sign_up_closed');
    const anybody = await invites.create({ ...draft, email: null });
    expect(await signIn(setting, browser, anybody.token)).toBe('/app/keys');
    expect(await userOf(browser)).toMatchObject({ email: 'grace@example.org', balance_usd: 5 });
    // What waits in the database for the provider's answer is no link that works.
    const waiting = await invites.create({ ...draft, email: null });
    await browser.post('/api/auth/oidc', { invite: waiting.token });
    const { rows } = await sql`select value from auth_verifications`.execute(store.db);
    expect(JSON.stringify(rows)).toContain('inviteId');
    expect(JSON.stringify(rows)).not.toContain(waiting.token);
    const again = await browser.post('/api/auth/oidc', { invite: anybody.token });
    expect(again.json().error.code).toBe('invite_invalid');
    expect((await verifyLedger(store)).problems).toEqual([]);
  });

  it('takes over no account by its address, unless both sides have verified it', async () => {
    const setting = await open(kind);
    const browser = createBrowser(setting.platform.app);
    // Whoever types an address into the form proves nothing: they may wait for its owner to come by the provider.
    const grace = { email: 'grace@example.org', password: 'planted by somebody' };
    await createBrowser(setting.platform.app).post('/api/auth/sign-up', grace);
    expect(await signIn(setting, browser)).toBe('/app/sign-in?error=oidc_email_taken');
    expect(await userOf(browser)).toBeNull();
    // Ada was made by an administrator; the provider has not verified the address.
    setting.provider.person = { sub: 'x', email: 'ada@example.org', email_verified: false, name: 'Mallory' };
    expect(await signIn(setting, browser)).toBe('/app/sign-in?error=oidc_email_taken');
    setting.provider.person = { sub: 'y', email: 'ada@example.org', email_verified: true, name: 'Ada' };
    expect(await signIn(setting, browser)).toBe('/app/keys');
    expect(await userOf(browser)).toMatchObject({ account_id: 1, has_password: true });
  });

  it('asks for no password that nobody has set', async () => {
    const setting = await open(kind);
    const browser = createBrowser(setting.platform.app);
    await signIn(setting, browser);
    const change = { current_password: 'a guess', new_password: 'long enough' };
    const refused = await browser.post('/api/auth/change-password', change);
    expect(refused.json().error).toMatchObject({
      code: 'invalid_request',
      param: 'current_password',
      message: 'Set a password first: ask for a new one on the sign-in page.',
    });
  });

  it('opens nothing for a disabled account', async () => {
    const setting = await open(kind);
    await signIn(setting, createBrowser(setting.platform.app));
    const { store } = setting.platform;
    await store.db.updateTable('accounts').set({ disabled_at: 1 }).where('id', '=', 2).execute();
    const browser = createBrowser(setting.platform.app);
    expect(await signIn(setting, browser)).toBe('/app/sign-in?error=account_disabled');
    expect(await userOf(browser)).toBeNull();
  });
});

describe('a provider’s answer', () => {
  it.each([
    ['meant for another client', { aud: 'somebody else' }],
    ['from another issuer', { iss: 'https://evil.example' }],
    ['that has expired', { exp: 1 }],
    ['for another request', { nonce: 'replayed' }],
  ])('%s opens nothing', async (_, claims) => {
    const setting = await open('sqlite');
    setting.provider.tamper = (original) => ({ ...original, ...claims });
    const browser = createBrowser(setting.platform.app);
    expect(await signIn(setting, browser)).toBe('/app/sign-in?error=oidc_failed');
    expect(await userOf(browser)).toBeNull();
  });

  it('that another browser asked for opens nothing', async () => {
    const setting = await open('sqlite');
    const attacker = createBrowser(setting.platform.app);
    const { url } = (await attacker.post('/api/auth/oidc', {})).json();
    const back = new URL(await setting.provider.authorize(url));
    const victim = createBrowser(setting.platform.app);
    const answer = await victim.send({ url: `${back.pathname}${back.search}` });
    expect(String(answer.headers.location)).toMatch(/^\/app\/sign-in\?error=/);
    expect(await userOf(victim)).toBeNull();
  });

  it('that signs nobody in is logged with its cause, and without what opens anything', async () => {
    const { platform, provider } = await open('sqlite');
    const browser = createBrowser(platform.app);
    const comeBack = async (change: (query: URLSearchParams) => void) => {
      const { url } = (await browser.post('/api/auth/oidc', {})).json();
      const back = new URL(await provider.authorize(url));
      const secrets = [back.searchParams.get('state'), back.searchParams.get('code')];
      change(back.searchParams);
      const answer = await browser.send({ url: `${back.pathname}${back.search}` });
      expect(answer.headers.location).toBe('/app/sign-in?error=oidc_failed');
      return secrets;
    };
    const secrets = [
      await comeBack((query) => query.set('error', 'access_denied')),
      await comeBack((query) => query.set('error', 'a text\nof anybody')),
      await comeBack((query) => query.set('state', 'of another browser')),
      await comeBack((query) => query.set('code', 'not drawn by the provider')),
    ].flat();
    const failures = platform.logged.filter(({ message }) => message.includes('sign-in by the provider'));
    expect(failures.map(({ level, fields }) => [level, 'failure' in fields && fields.failure])).toEqual([
      ['warn', 'access_denied'],
      ['warn', 'unreadable'],
      ['warn', 'state_mismatch'],
      ['warn', 'invalid_code'],
    ]);
    for (const secret of [...secrets, provider.clientSecret]) {
      expect(JSON.stringify(platform.logged)).not.toContain(secret);
    }
  });

  it('leads to a path of this server only', async () => {
    const setting = await open('sqlite');
    const browser = createBrowser(setting.platform.app);
    const elsewhere = [
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      'javascript:alert(1)',
      '',
    ];
    for (const returnTo of elsewhere) {
      const answer = await browser.post('/api/auth/oidc', { return_to: returnTo });
      expect(answer.json().error).toMatchObject({ code: 'invalid_request', param: 'return_to' });
    }
    const forged = '/api/auth/callback/oidc?error=x&state=y&callbackURL=https://evil.example';
    const answer = await browser.send({ url: forged });
    expect(answer.headers.location).toBe('/app/sign-in?error=oidc_failed');
  });

  it('is not needed by anybody else while the provider is away, and asked for again when it is back', async () => {
    const provider = await startOidcServer();
    const oidc = { ...provider, issuer: provider.issuer, name: 'Test SSO' };
    const platform = await openPlatformApp('sqlite', { people: { oidc } });
    const browser = createBrowser(platform.app);
    provider.isAway = true;
    const refused = await browser.post('/api/auth/oidc', {});
    expect([refused.statusCode, refused.json().error.code]).toEqual([503, 'oidc_unavailable']);
    const ada = { email: 'ada@example.org', password: 'long enough' };
    expect((await browser.post('/api/auth/sign-in', ada)).statusCode).toBe(200);
    provider.isAway = false;
    expect((await browser.post('/api/auth/oidc', {})).statusCode).toBe(200);
  });

  it('is asked for only where there is a provider', async () => {
    const platform = await openPlatformApp('sqlite');
    const browser = createBrowser(platform.app);
    expect((await browser.post('/api/auth/oidc', {})).json().error.code).toBe('not_found');
    expect((await browser.send({ url: '/api/auth/callback/oidc?code=x' })).statusCode).toBe(404);
  });
});
