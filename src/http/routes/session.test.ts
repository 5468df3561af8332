import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import { statement } from '../../store/store.ts';
import { createBrowser } from '../__fixtures__/browser.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';
import { chatBody } from '../__fixtures__/wire.ts';

const ada = { email: 'ada@example.org', password: 'long enough' };
const chat = { method: 'POST', url: '/v1/chat/completions', payload: chatBody({}) } as const;

async function signIn(platform: PlatformApp) {
  const browser = createBrowser(platform.app);
  const answer = await browser.post('/api/auth/sign-in', ada);
  expect(answer.json()).toEqual({ state: 'signed_in' });
  return browser;
}

describe.each(storeKinds)('a session on %s', (kind) => {
  it('tells who is signed in, and nobody before', async () => {
    const platform = await openPlatformApp(kind, { script: () => scriptText('x') });
    const stranger = await createBrowser(platform.app).send({ url: '/api/session' });
    expect(stranger.json()).toMatchObject({
      user: null,
      server: { sign_up_mode: 'open', has_smtp: false, oidc: null, public_url: 'http://127.0.0.1:8787' },
    });
    const browser = await signIn(platform);
    const answer = await browser.send({ url: '/api/session' });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.json().user).toMatchObject({
      account_id: 1,
      email: 'ada@example.org',
      is_admin: false,
      has_password: true,
      balance_usd: 10,
      held_usd: 0,
    });
  });

  it('keeps its token from scripts and from other sites', async () => {
    const platform = await openPlatformApp(kind, { script: () => scriptText('x') });
    const answer = await createBrowser(platform.app).post('/api/auth/sign-in', ada);
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(/^perigee\.session_token=/);
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Lax/);
    expect(cookie).not.toMatch(/Secure|Domain/);
    expect(answer.body).toBe('{"state":"signed_in"}');
  });

  it('asks a model on a hidden key, charged and logged as the playground’s', async () => {
    const platform = await openPlatformApp(kind, { script: () => scriptText('x') });
    const browser = await signIn(platform);
    expect((await browser.send(chat)).statusCode).toBe(200);
    expect((await browser.send(chat)).statusCode).toBe(200);
    const rows = await platform.store.db
      .selectFrom('usage_requests')
      .innerJoin('api_keys', 'api_keys.id', 'usage_requests.key_id')
      .select(['origin', 'kind', 'usage_requests.account_id', 'key_id'])
      .execute();
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ origin: 'playground', kind: 'playground', account_id: 1 });
    expect(rows[1]).toEqual(rows[0]);
    const listed = await browser.send({ url: '/v1/keys' });
    expect(listed.json().data.map((key: { name: string }) => key.name)).toEqual(['first']);
  });

  it('manages the keys of its own account, and reads its bill and usage', async () => {
    const platform = await openPlatformApp(kind, { script: () => scriptText('x') });
    const browser = await signIn(platform);
    const made = (await browser.post('/v1/keys', { name: 'made by hand' })).json().data;
    expect((await platform.chat({}, made.key)).statusCode).toBe(200);
    const prefix = made.key.slice(0, 8);
    platform.setNow(testNowMs + 1_000);
    const usage = await browser.send({ url: `/v2/usage?period=24h&key_prefix=${prefix}` });
    expect(usage.json()).toMatchObject({ api_key_prefix: prefix, requests: 1 });
    expect((await browser.send({ url: '/v1/key' })).json().data.prefix).toBe(prefix);
    expect((await browser.send({ url: '/v2/billing' })).json().currency).toBe('USD');
    const removed = await browser.send({ method: 'DELETE', url: `/v1/keys/${prefix}` });
    expect(removed.statusCode).toBe(200);
  });

  it('loses to a bearer key, even to a bad one', async () => {
    const platform = await openPlatformApp(kind, { script: () => scriptText('x') });
    const browser = await signIn(platform);
    const bad = await browser.send({ ...chat, headers: { authorization: 'Bearer nobody' } });
    expect(bad.json().error.code).toBe('invalid_api_key');
    await browser.send({ ...chat, headers: { authorization: `Bearer ${platform.key}` } });
    const { origin } = await platform.store.db
      .selectFrom('usage_requests')
      .select('origin')
      .executeTakeFirstOrThrow();
    expect(origin).toBe('api');
  });

  it('ends in the middle when its account is disabled', async () => {
    const platform = await openPlatformApp(kind, { script: () => scriptText('x') });
    const browser = await signIn(platform);
    await platform.store.commit([statement('update accounts set disabled_at = 1 where id = 1', [])]);
    expect((await browser.send(chat)).json().error.code).toBe('invalid_api_key');
    expect((await browser.send({ url: '/api/sessions' })).json().error.code).toBe('not_signed_in');
    expect((await browser.send({ url: '/api/session' })).json().user).toBeNull();
  });

  it('is seen and ended from another one', async () => {
    const platform = await openPlatformApp(kind, { script: () => scriptText('x') });
    const [here, there, third] = [await signIn(platform), await signIn(platform), await signIn(platform)];
    const sessions: { id: string; is_current: boolean }[] = (await here.send({ url: '/api/sessions' })).json()
      .data;
    expect(sessions.map((each) => each.is_current).toSorted()).toEqual([false, false, true]);
    const other = (await there.send({ url: '/api/session' })).json().user.session_id;
    await here.send({ method: 'DELETE', url: `/api/sessions/${other}` });
    expect((await there.send({ url: '/api/session' })).json().user).toBeNull();
    const again = await here.send({ method: 'DELETE', url: `/api/sessions/${other}` });
    expect(again.json().error.code).toBe('not_found');
    expect((await here.send({ method: 'DELETE', url: '/api/sessions' })).json().data.deleted).toBe(1);
    expect((await third.send({ url: '/api/session' })).json().user).toBeNull();
    expect((await here.send({ url: '/api/session' })).json().user).not.toBeNull();
  });

  it('that has expired is not shown, and is removed by the next sign-in', async () => {
    const platform = await openPlatformApp(kind);
    const { db } = platform.store;
    await signIn(platform);
    await db
      .updateTable('auth_sessions')
      .set({ expires_at: new Date(Date.now() - 1).toISOString() })
      .execute();
    const kept = (await db.selectFrom('auth_sessions').select('id').execute())[0]?.id;
    const browser = await signIn(platform);
    const stored = await db.selectFrom('auth_sessions').select('id').execute();
    expect(stored).toHaveLength(1);
    expect(stored).not.toContainEqual({ id: kept });
    await signIn(platform);
    const current = (await browser.send({ url: '/api/session' })).json().user.session_id;
    await db
      .updateTable('auth_sessions')
      .set({ expires_at: new Date(Date.now() - 1).toISOString() })
      .where('id', '<>', current)
      .execute();
    const listed = (await browser.send({ url: '/api/sessions' })).json().data;
    expect(listed.map(({ id }: { id: string }) => id)).toEqual([current]);
  });

  it('is gone after signing out, also for whoever kept the cookie', async () => {
    const platform = await openPlatformApp(kind, { script: () => scriptText('x') });
    const browser = await signIn(platform);
    const kept = browser.cookie();
    expect((await browser.post('/api/auth/sign-out')).json()).toEqual({ state: 'signed_out' });
    expect(browser.cookie()).toBe('');
    browser.setCookie(kept);
    expect((await browser.send({ url: '/api/session' })).json().user).toBeNull();
  });
});

describe('a request that relies on the session', () => {
  it.each([
    ['without the header', { 'x-perigee-csrf': '' }],
    ['from a foreign origin', { origin: 'https://evil.example' }],
    ['from a page without an origin', { origin: 'null' }],
    ['which the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['which the browser calls same-site', { 'sec-fetch-site': 'same-site' }],
    ['from another port', { origin: 'http://127.0.0.1:8788' }],
  ])('is refused %s', async (_, headers) => {
    const platform = await openPlatformApp('sqlite');
    const browser = await signIn(platform);
    const urls = ['/v1/keys', '/v2/billing', '/api/sessions'];
    for (const url of urls) {
      const answer = await browser.send({ url, headers });
      expect(answer.statusCode).toBe(403);
      expect(answer.json().error.code).toBe('csrf_refused');
    }
    expect((await browser.send({ ...chat, headers })).json().error.code).toBe('csrf_refused');
    for (const path of ['sign-in', 'sign-up', 'sign-out', 'forgot-password', 'reset-password', 'oidc']) {
      const answer = await browser.send({ method: 'POST', url: `/api/auth/${path}`, payload: ada, headers });
      expect(answer.json().error.code).toBe('csrf_refused');
    }
    expect(await platform.store.db.selectFrom('usage_requests').selectAll().execute()).toEqual([]);
  });

  it('is taken from any name of this very server', async () => {
    const platform = await openPlatformApp('sqlite');
    const browser = createBrowser(platform.app, 'http://localhost:8787');
    expect((await browser.post('/api/auth/sign-in', ada)).statusCode).toBe(200);
    expect((await browser.send({ url: '/v2/billing' })).statusCode).toBe(200);
  });

  it('never gets leave for foreign pages to send cookies', async () => {
    const platform = await openPlatformApp('sqlite');
    const answer = await platform.app.inject({
      method: 'OPTIONS',
      url: '/v1/keys',
      headers: { origin: 'https://evil.example', 'access-control-request-headers': 'x-perigee-csrf' },
    });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });
});
