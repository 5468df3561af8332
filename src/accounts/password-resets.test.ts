import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../test/services/test-stores.ts';
import { createBrowser } from '../http/__fixtures__/browser.ts';
import { openPlatformApp, type PlatformApp } from '../http/__fixtures__/open-platform-app.ts';
import { startSmtpServer } from './__fixtures__/start-smtp-server.ts';
import { createAccount } from './create-account.ts';

const ada = { email: 'ada@example.org', password: 'long enough' };

async function createLinkMaker(platform: PlatformApp): Promise<() => Promise<string>> {
  const root = { email: 'root@example.org', password: 'long enough' };
  await createAccount(platform.store, { ...root, isAdmin: true, openingCreditNanoUsd: 0n });
  const admin = createBrowser(platform.app);
  await admin.post('/api/auth/sign-in', root);
  return async () => {
    const { url } = (await admin.post('/api/admin/accounts/1/reset-link')).json().data;
    return new URL(url).searchParams.get('token') ?? 'no token';
  };
}

describe.each(storeKinds)('links for a new password on %s', (kind) => {
  it('end when the person changes the password', async () => {
    const platform = await openPlatformApp(kind);
    const makeLink = await createLinkMaker(platform);
    const browser = createBrowser(platform.app);
    await browser.post('/api/auth/sign-in', ada);
    const token = await makeLink();
    const change = { current_password: ada.password, new_password: 'something new' };
    expect((await browser.post('/api/auth/change-password', change)).statusCode).toBe(200);
    const late = await browser.post('/api/auth/reset-password', { token, password: 'somebody else’s' });
    expect(late.json().error.code).toBe('reset_link_invalid');
  });

  it('end when one of them was used', async () => {
    const platform = await openPlatformApp(kind);
    const makeLink = await createLinkMaker(platform);
    const [used, other] = [await makeLink(), await makeLink()];
    const reset = async (token: string, password: string) =>
      (await createBrowser(platform.app).post('/api/auth/reset-password', { token, password })).json();
    expect(await reset(used, 'a new password')).toEqual({ state: 'password_changed' });
    expect((await reset(other, 'somebody else’s')).error.code).toBe('reset_link_invalid');
  });
});

it('the mail says who sends it, what it is for, how long the link works, and what to do otherwise', async () => {
  const smtp = await startSmtpServer();
  const people = { smtp: { url: smtp.url, from: 'perigee@example.org' } };
  const platform = await openPlatformApp('sqlite', { people });
  await createBrowser(platform.app).post('/api/auth/forgot-password', { email: ada.email });
  const { text } = await smtp.nextMail();
  const [headers = '', body = ''] = text.replaceAll('\r', '').split(/\n\n(.*)/s);
  expect(headers).toMatch(/^From: perigee@example\.org$/m);
  expect(headers).toMatch(/^To: ada@example\.org$/m);
  expect(headers).toMatch(/^Subject: A new password for Perigee$/m);
  const lines = body.replace(/=\n/g, '').replaceAll('=3D', '=').trim().split('\n');
  expect(lines).toEqual([
    'Somebody, probably you, asked for a new password. Set it within an hour here:',
    '',
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:8787\/app\/reset-password\?token=[\w-]+$/),
    '',
    'If it was not you, do nothing: the old password stays.',
  ]);
});
