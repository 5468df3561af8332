import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { createBrowser } from '../__fixtures__/browser.ts';
import { openPlatformApp } from '../__fixtures__/open-platform-app.ts';

describe.each(storeKinds)('management keys on %s', (kind) => {
  it('are made, renamed, disabled and deleted by a person, and by nobody else', async () => {
    const platform = await openPlatformApp(kind);
    const browser = createBrowser(platform.app);
    await browser.post('/api/auth/sign-in', { email: 'ada@example.org', password: 'long enough' });
    const made = (await browser.post('/api/management-keys', { name: 'deploy' })).json().data;
    expect((await platform.send({ url: '/v1/keys' }, made.key)).statusCode).toBe(200);
    const url = `/api/management-keys/${made.prefix}`;
    const disabled = await browser.send({ method: 'PATCH', url, payload: { disabled: true } });
    expect(disabled.json().data).toMatchObject({ name: 'deploy', disabled: true });
    expect((await platform.send({ url: '/v1/keys' }, made.key)).statusCode).toBe(401);
    const enabled = await browser.send({ method: 'PATCH', url, payload: { disabled: false, name: 'ship' } });
    expect(enabled.json().data).toMatchObject({ name: 'ship', disabled: false });
    expect((await platform.send({ url: '/v1/keys' }, made.key)).statusCode).toBe(200);
    const byKey = await platform.send({ url: '/api/management-keys' }, platform.managementKey);
    expect(byKey.json().error.code).toBe('not_signed_in');
    await browser.send({ method: 'DELETE', url });
    expect((await platform.send({ url: '/v1/keys' }, made.key)).statusCode).toBe(401);
    const left = (await browser.send({ url: '/api/management-keys' })).json().data;
    expect(left.map((key: { prefix: string }) => key.prefix)).toEqual([platform.managementKey.slice(0, 8)]);
    expect((await browser.send({ method: 'DELETE', url })).json().error.code).toBe('key_not_found');
  });

  it('of the account only: a regular key is not one', async () => {
    const platform = await openPlatformApp(kind);
    const browser = createBrowser(platform.app);
    await browser.post('/api/auth/sign-in', { email: 'ada@example.org', password: 'long enough' });
    const url = `/api/management-keys/${platform.key.slice(0, 8)}`;
    expect((await browser.send({ method: 'DELETE', url })).json().error.code).toBe('key_not_found');
    expect((await platform.send({ url: '/v1/key' })).statusCode).toBe(200);
  });
});
