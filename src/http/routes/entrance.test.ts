import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { startSmtpServer } from '../../accounts/__fixtures__/start-smtp-server.ts';
import { createAttemptLimiter } from '../../accounts/attempt-limiter.ts';
import { createAccount } from '../../accounts/create-account.ts';
import { createPeople } from '../../accounts/create-people.ts';
import { createInvites } from '../../accounts/invites.ts';
import { verifyLedger } from '../../billing/verify-ledger.ts';
import { createBrowser } from '../__fixtures__/browser.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';

const ada = { email: 'ada@example.org', password: 'long enough' };
const eve = { email: 'eve@example.org', password: 'quite secret 1' };

async function signInAdmin(platform: PlatformApp) {
  const root = { email: 'root@example.org', password: 'long enough' };
  await createAccount(platform.store, { ...root, isAdmin: true, openingCreditNanoUsd: 0n });
  const admin = createBrowser(platform.app);
  await admin.post('/api/auth/sign-in', root);
  return admin;
}

describe.each(storeKinds)('the entrance on %s', (kind) => {
  it('makes an account with its number and credit, and signs it in', async () => {
    const platform = await openPlatformApp(kind, { people: { signUpCreditNanoUsd: 3_000_000_000n } });
    const browser = createBrowser(platform.app);
    const made = await browser.post('/api/auth/sign-up', { ...eve, email: ' Eve@Example.org ', name: 'Eve' });
    expect(made.json()).toEqual({ state: 'signed_in' });
    const { user } = (await browser.send({ url: '/api/session' })).json();
    expect(user).toMatchObject({
      account_id: 2,
      email: eve.email,
      name: 'Eve',
      balance_usd: 3,
      is_admin: false,
    });
    const taken = await createBrowser(platform.app).post('/api/auth/sign-up', eve);
    expect(taken.json().error).toMatchObject({ code: 'invalid_request', param: 'email' });
    expect((await verifyLedger(platform.store)).problems).toEqual([]);
  });

  it('by invitation opens for one person, once, with the credit of the invite', async () => {
    const platform = await openPlatformApp(kind, { people: { signUpMode: 'invite' } });
    const admin = await signInAdmin(platform);
    const closed = await createBrowser(platform.app).post('/api/auth/sign-up', eve);
    expect(closed.json().error.code).toBe('sign_up_closed');
    const draft = { email: eve.email, credit_usd: 5, note: 'welcome' };
    const invite = (await admin.post('/api/admin/invites', draft)).json().data;
    expect(invite).toMatchObject({ state: 'open', credit_usd: 5, mailed: false });
    const token = new URL(invite.url).searchParams.get('invite');
    const shown = await platform.app.inject({ url: `/api/invites/${token}` });
    expect(shown.json()).toMatchObject({ email: eve.email, credit_usd: 5 });
    const signUp = async (person: object) =>
      await createBrowser(platform.app).post('/api/auth/sign-up', { ...person, invite: token });
    expect((await signUp({ ...eve, email: 'other@example.org' })).json().error.code).toBe('invite_invalid');
    // Twice at the same moment: one account comes of it.
    const both = await Promise.all([signUp(eve), signUp(eve)]);
    expect(both.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 400]);
    expect((await platform.app.inject({ url: `/api/invites/${token}` })).statusCode).toBe(404);
    const [listed] = (await admin.send({ url: '/api/admin/invites' })).json().data;
    expect(listed).toMatchObject({ state: 'used', used_by: 3 });
    const account = (await admin.send({ url: '/api/admin/accounts/3' })).json().data;
    expect(account).toMatchObject({ balance_usd: 5, email_verified: true, state: 'active' });
    expect((await verifyLedger(platform.store)).problems).toEqual([]);
  });

  it('takes no invite that was revoked or has expired', async () => {
    const platform = await openPlatformApp(kind);
    const admin = await signInAdmin(platform);
    const revoked = (await admin.post('/api/admin/invites', {})).json().data;
    const answer = await admin.send({ method: 'DELETE', url: `/api/admin/invites/${revoked.id}` });
    expect(answer.statusCode).toBe(200);
    const lastMonth = createInvites(platform.store, () => Date.now() - 30 * 86_400_000);
    const { token } = await lastMonth.create({
      email: null,
      creditNanoUsd: 0n,
      note: null,
      lifetimeMs: 7 * 86_400_000,
      createdByAccountId: 2,
    });
    const states = (await admin.send({ url: '/api/admin/invites' })).json().data;
    expect(states.map(({ state }: { state: string }) => state)).toEqual(['expired', 'revoked']);
    for (const invite of [new URL(revoked.url).searchParams.get('invite'), token]) {
      const refused = await createBrowser(platform.app).post('/api/auth/sign-up', { ...eve, invite });
      expect(refused.json().error.code).toBe('invite_invalid');
    }
  });

  it('does not tell an unknown address from a wrong password, and does the same work for both', async () => {
    const platform = await openPlatformApp(kind);
    const wrong = await createBrowser(platform.app).post('/api/auth/sign-in', {
      ...ada,
      password: 'wrong one',
    });
    const unknown = await createBrowser(platform.app).post('/api/auth/sign-in', eve);
    const strip = (body: string) => body.replace(/req-[0-9a-f]+/, 'req');
    expect(strip(wrong.body)).toBe(strip(unknown.body));
    expect([wrong.statusCode, unknown.statusCode]).toEqual([401, 401]);
    const forgot = async (email: string) =>
      await createBrowser(platform.app).post('/api/auth/forgot-password', { email });
    expect((await forgot(ada.email)).body).toBe((await forgot(eve.email)).body);
  });

  it('stops guessing after ten tries, in every server, and not for everybody else', async () => {
    const platform = await openPlatformApp(kind);
    const tries = Array.from({ length: 12 }, async () =>
      createBrowser(platform.app).post('/api/auth/sign-in', { ...ada, password: 'a guess' }),
    );
    const statuses = (await Promise.all(tries)).map(({ statusCode }) => statusCode);
    expect(statuses.toSorted()).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    const late = await createBrowser(platform.app).post('/api/auth/sign-in', ada);
    expect(late.statusCode).toBe(429);
    expect(late.json().error.message).toMatch(/Try again in 1\d minutes\.$/);
    expect(late.headers['retry-after']).toBe('60');
    await createAccount(platform.store, { ...eve, isAdmin: false, openingCreditNanoUsd: 0n });
    expect((await createBrowser(platform.app).post('/api/auth/sign-in', eve)).statusCode).toBe(200);
    const elsewhere = await platform.app.inject({
      method: 'POST',
      url: '/api/auth/sign-in',
      payload: ada,
      remoteAddress: '192.0.2.7',
      headers: { 'x-perigee-csrf': '1' },
    });
    expect(elsewhere.statusCode).toBe(200);
  });

  it('counts attempts over replicas, and forgets them with the window', async () => {
    const platform = await openPlatformApp(kind);
    let nowMs = 1_000;
    const rule = { action: 'test', attemptsMax: 3, windowMs: 60_000 };
    const limiters = [1, 2].map(() => createAttemptLimiter(platform.store, () => nowMs));
    const take = async (index: number) => {
      await limiters[index % 2]?.take(rule, 'somebody');
      return 'taken';
    };
    const all = await Promise.allSettled(Array.from({ length: 8 }, async (_, index) => take(index)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    await expect(take(0)).rejects.toThrow('Try again in a minute.');
    nowMs += 60_000;
    await expect(take(0)).resolves.toBe('taken');
  });

  it('gives a new password by a link that works once and ends all sessions', async () => {
    const platform = await openPlatformApp(kind);
    const admin = await signInAdmin(platform);
    const browser = createBrowser(platform.app);
    await browser.post('/api/auth/sign-in', ada);
    const asked = await createBrowser(platform.app).post('/api/auth/forgot-password', { email: ada.email });
    expect(asked.json()).toEqual({ state: 'administrator_asked' });
    const [open] = (await admin.send({ url: '/api/admin/reset-requests' })).json().data;
    expect(open).toMatchObject({ account_id: 1, email: ada.email });
    const { url } = (await admin.post('/api/admin/accounts/1/reset-link')).json().data;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:8787\/app\/reset-password\?token=[\w-]{32}$/);
    expect((await admin.send({ url: '/api/admin/reset-requests' })).json().data).toEqual([]);
    const token = new URL(url).searchParams.get('token') ?? '';
    const { rows } = await sql`select identifier, value from auth_verifications`.execute(platform.store.db);
    expect(rows.length).toBeGreaterThan(0);
    // A copy of the database holds no link that works.
    expect(JSON.stringify(rows)).not.toContain(token);
    const reset = async (password: string) =>
      await createBrowser(platform.app).post('/api/auth/reset-password', { token, password });
    expect((await reset('short')).json().error.param).toBe('password');
    expect((await reset('x'.repeat(129))).json().error.param).toBe('password');
    expect((await reset('a new password')).json()).toEqual({ state: 'password_changed' });
    expect((await reset('another one')).json().error.code).toBe('reset_link_invalid');
    expect((await browser.send({ url: '/api/session' })).json().user).toBeNull();
    expect((await createBrowser(platform.app).post('/api/auth/sign-in', ada)).statusCode).toBe(401);
    const again = { ...ada, password: 'a new password' };
    expect((await createBrowser(platform.app).post('/api/auth/sign-in', again)).statusCode).toBe(200);
  });

  it('changes a password for whoever knows it, and ends the other sessions', async () => {
    const platform = await openPlatformApp(kind);
    const [here, there] = [createBrowser(platform.app), createBrowser(platform.app)];
    await here.post('/api/auth/sign-in', ada);
    await there.post('/api/auth/sign-in', ada);
    const kept = here.cookie();
    const url = '/api/auth/change-password';
    const wrong = await here.post(url, { current_password: 'wrong one', new_password: 'something new' });
    expect(wrong.json().error).toMatchObject({
      code: 'sign_in_failed',
      message: 'The current password is wrong.',
      param: 'current_password',
    });
    const right = await here.post(url, { current_password: ada.password, new_password: 'something new' });
    expect(right.json()).toEqual({ state: 'password_changed' });
    expect((await here.send({ url: '/api/session' })).json().user).not.toBeNull();
    expect((await there.send({ url: '/api/session' })).json().user).toBeNull();
    // Whoever had copied the cookie of this very session is out as well.
    there.setCookie(kept);
    expect((await there.send({ url: '/api/session' })).json().user).toBeNull();
  });

  it('changes name and address, the address for whoever knows the password', async () => {
    const platform = await openPlatformApp(kind);
    await createAccount(platform.store, { ...eve, isAdmin: false, openingCreditNanoUsd: 0n });
    const browser = createBrowser(platform.app);
    await browser.post('/api/auth/sign-in', ada);
    const change = async (payload: object) =>
      (await browser.send({ method: 'PATCH', url: '/api/profile', payload: { ...payload } })).json();
    expect((await change({ name: ' Ada L. ' })).data.name).toBe('Ada L.');
    const next = { email: 'Countess@example.org' };
    expect((await change(next)).error.param).toBe('current_password');
    expect((await change({ ...next, current_password: 'wrong one' })).error).toMatchObject({
      message: 'The current password is wrong.',
      param: 'current_password',
    });
    const taken = await change({ email: eve.email, current_password: ada.password });
    expect(taken.error).toMatchObject({ code: 'invalid_request', param: 'email' });
    const changed = await change({ ...next, current_password: ada.password });
    expect(changed.data.email).toBe('countess@example.org');
    expect((await change({})).data.email).toBe('countess@example.org');
  });

  it('counts guesses of the password in an open session too, and changes nothing beside a wrong one', async () => {
    const platform = await openPlatformApp(kind);
    const browser = createBrowser(platform.app);
    await browser.post('/api/auth/sign-in', ada);
    const payload = { name: 'Mallory', email: 'mallory@example.org', current_password: 'a guess' };
    const tries = Array.from({ length: 11 }, async () =>
      browser.send({ method: 'PATCH', url: '/api/profile', payload }),
    );
    const statuses = (await Promise.all(tries)).map(({ statusCode }) => statusCode);
    expect(statuses.toSorted()).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    const { user } = (await browser.send({ url: '/api/session' })).json();
    expect(user).toMatchObject({ name: 'ada', email: ada.email });
  });

  it('gives each sign-in a token of its own, whatever cookie came with it', async () => {
    const platform = await openPlatformApp(kind);
    const browser = createBrowser(platform.app);
    browser.setCookie('perigee.session_token=planted-by-somebody.c2lnbmF0dXJl');
    await browser.post('/api/auth/sign-in', ada);
    const first = browser.cookie();
    expect(first).not.toContain('planted');
    await browser.post('/api/auth/sign-in', ada);
    expect(browser.cookie()).not.toBe(first);
  });
});

describe('a forgotten password', () => {
  it('is answered before anything is written, so that no time tells who is here', async () => {
    const platform = await openPlatformApp('postgres');
    const admin = await signInAdmin(platform);
    await platform.store.db.transaction().execute(async (other) => {
      await sql`lock table auth_verifications in exclusive mode`.execute(other);
      const asked = await createBrowser(platform.app).post('/api/auth/forgot-password', { email: ada.email });
      expect(asked.json()).toEqual({ state: 'administrator_asked' });
    });
    const { data } = (await admin.send({ url: '/api/admin/reset-requests' })).json();
    expect(data).toMatchObject([{ email: ada.email }]);
  });

  it('is set by no link that went to an address which the person has left', async () => {
    const platform = await openPlatformApp('sqlite');
    const admin = await signInAdmin(platform);
    const { url } = (await admin.post('/api/admin/accounts/1/reset-link')).json().data;
    const browser = createBrowser(platform.app);
    await browser.post('/api/auth/sign-in', ada);
    const payload = { email: 'countess@example.org', current_password: ada.password };
    expect((await browser.send({ method: 'PATCH', url: '/api/profile', payload })).statusCode).toBe(200);
    const token = new URL(url).searchParams.get('token');
    const late = await browser.post('/api/auth/reset-password', { token, password: 'a new password' });
    expect(late.json().error.code).toBe('reset_link_invalid');
  });
});

describe('mail', () => {
  it('carries the link to its owner, and nothing tells whether it did', async () => {
    const smtp = await startSmtpServer();
    const people = { smtp: { url: smtp.url, from: 'perigee@example.org' } };
    const platform = await openPlatformApp('sqlite', { people });
    const browser = createBrowser(platform.app);
    const known = await browser.post('/api/auth/forgot-password', { email: ada.email });
    const unknown = await browser.post('/api/auth/forgot-password', { email: 'nobody@example.org' });
    expect(known.json()).toEqual({ state: 'mailed' });
    expect(unknown.body).toBe(known.body);
    const mail = await smtp.nextMail();
    expect(mail.recipients).toEqual(['RCPT TO:<ada@example.org>']);
    const text = mail.text.replace(/=\n/g, '').replaceAll('=3D', '=');
    const token = /reset-password\?token=([\w-]+)/.exec(text)?.[1];
    const reset = await browser.post('/api/auth/reset-password', { token, password: 'a new password' });
    expect(reset.json()).toEqual({ state: 'password_changed' });
    expect(smtp.received).toHaveLength(1);
  });

  it('never gets a header or a recipient from what somebody typed', async () => {
    const smtp = await startSmtpServer();
    const people = { smtp: { url: smtp.url, from: 'perigee@example.org' } };
    const platform = await openPlatformApp('sqlite', { people });
    const admin = await signInAdmin(platform);
    const bad = ['a@example.org\r\nBcc: b@example.org', 'a@example.org, b@example.org', '<a@example.org>'];
    for (const email of bad) {
      expect((await admin.post('/api/admin/invites', { email })).json().error.param).toBe('email');
      const asked = await createBrowser(platform.app).post('/api/auth/forgot-password', { email });
      expect(asked.json().error.param).toBe('email');
    }
    const invite = await admin.post('/api/admin/invites', {
      email: 'c@example.org',
      note: 'x\r\nBcc: d@e.org',
    });
    expect(invite.json().data.mailed).toBe(true);
    const mail = await smtp.nextMail();
    expect(mail.recipients).toEqual(['RCPT TO:<c@example.org>']);
    expect(mail.text).not.toMatch(/^Bcc:/im);
    expect(smtp.received).toHaveLength(1);
  });
});

describe('a log', () => {
  it('holds no password, no session and no link', async () => {
    const platform = await openPlatformApp('sqlite');
    const admin = await signInAdmin(platform);
    const browser = createBrowser(platform.app);
    const secrets = ['canary-password-1', 'canary-password-2'];
    await browser.post('/api/auth/sign-up', { email: 'canary@example.org', password: secrets[0] });
    await browser.post('/api/auth/sign-in', { email: 'canary@example.org', password: secrets[1] });
    await browser.post('/api/auth/change-password', {
      current_password: secrets[1],
      new_password: secrets[0],
    });
    secrets.push(browser.cookie().replace('perigee.session_token=', '').split('.')[0] ?? 'no cookie');
    const { url } = (await admin.post('/api/admin/accounts/1/reset-link')).json().data;
    const token = new URL(url).searchParams.get('token') ?? 'no token';
    await browser.post('/api/auth/reset-password', { token, password: 'short' });
    const invite = (await admin.post('/api/admin/invites', {})).json().data;
    const inviteToken = new URL(invite.url).searchParams.get('invite') ?? 'no token';
    await browser.send({ url: `/api/invites/${inviteToken}` });
    const log = JSON.stringify(platform.logged);
    expect(platform.logged.length).toBeGreaterThan(6);
    for (const secret of [...secrets, token, inviteToken]) expect(log).not.toContain(secret);
    expect(log).not.toContain('canary@example.org');
  });
});

describe('a cookie', () => {
  it('of a page over https is for https alone', async () => {
    const platform = await openPlatformApp('sqlite');
    const people = createPeople(platform.store, {
      settings: {
        signUpMode: 'open',
        signUpCreditNanoUsd: 0n,
        authSecret: undefined,
        smtp: undefined,
        oidc: undefined,
      },
      publicUrl: () => 'https://ai.example.org',
      onResetError: () => undefined,
    });
    const client = { cookie: undefined, ipAddress: '192.0.2.1', userAgent: undefined };
    const [cookie] = await people.entrance.signIn({ ...ada, isRemembered: true }, client);
    expect(cookie).toMatch(/^__Secure-perigee\.session_token=.*; Secure/);
  });
});
