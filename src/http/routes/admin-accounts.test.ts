import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { createAccount } from '../../accounts/create-account.ts';
import { verifyLedger } from '../../billing/verify-ledger.ts';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import { type Browser, createBrowser } from '../__fixtures__/browser.ts';
import {
  openPlatformApp,
  type PlatformApp,
  type PlatformAppOptions,
} from '../__fixtures__/open-platform-app.ts';

const root = { email: 'root@example.org', password: 'long enough' };

/** Account 1 is Ada, with 10 USD and keys; account 2 is the administrator. */
async function openWithAdmin(kind: 'sqlite' | 'postgres', options: PlatformAppOptions = {}) {
  const platform = await openPlatformApp(kind, { script: () => scriptText('x'), ...options });
  await createAccount(platform.store, { ...root, isAdmin: true, openingCreditNanoUsd: 0n });
  return { platform, admin: await signIn(platform, root) };
}

async function signIn(platform: PlatformApp, person: { email: string; password: string }): Promise<Browser> {
  const browser = createBrowser(platform.app);
  const answer = await browser.post('/api/auth/sign-in', person);
  expect(answer.statusCode).toBe(200);
  return browser;
}

const ada = { email: 'ada@example.org', password: 'long enough' };
const change = async (admin: Browser, id: number, payload: Record<string, unknown>) =>
  await admin.send({ method: 'PATCH', url: `/api/admin/accounts/${id}`, payload });

describe.each(storeKinds)('administration on %s', (kind) => {
  it('is open to administrators only, and at once to new ones', async () => {
    const { platform, admin } = await openWithAdmin(kind);
    const browser = await signIn(platform, ada);
    const urls = [
      'accounts',
      'accounts/1',
      'invites',
      'reset-requests',
      'prices',
      'models',
      'engines',
      'system',
    ];
    for (const name of urls) {
      const url = `/api/admin/${name}`;
      expect((await browser.send({ url })).json().error.code).toBe('admin_required');
      expect((await platform.send({ url }, platform.managementKey)).json().error.code).toBe('not_signed_in');
      expect((await admin.send({ url })).statusCode).toBe(200);
    }
    await change(admin, 1, { is_admin: true });
    expect((await browser.send({ url: '/api/admin/accounts' })).statusCode).toBe(200);
    await change(admin, 1, { is_admin: false });
    expect((await browser.send({ url: '/api/admin/accounts' })).statusCode).toBe(403);
  });

  it('lists accounts with their money and keys, by page and by search', async () => {
    const { platform, admin } = await openWithAdmin(kind);
    await platform.chat();
    const first = (await admin.send({ url: '/api/admin/accounts?limit=1' })).json();
    expect(first.data).toMatchObject([{ id: 2, email: root.email, is_admin: true, state: 'active' }]);
    const cursor = first.pagination.next_cursor;
    const second = (await admin.send({ url: `/api/admin/accounts?limit=1&cursor=${cursor}` })).json();
    expect(second.data).toMatchObject([{ id: 1, key_count: 2, state: 'active' }]);
    expect(second.pagination.next_cursor).toBeNull();
    const [found] = second.data;
    expect(found.spent_month_usd).toBeGreaterThan(0);
    expect(found.balance_usd + found.spent_total_usd).toBeCloseTo(10, 9);
    const search = async (text: string) =>
      (await admin.send({ url: `/api/admin/accounts?search=${encodeURIComponent(text)}` }))
        .json()
        .data.map(({ id }: { id: number }) => id);
    expect(await search('ADA@')).toEqual([1]);
    expect(await search('1')).toEqual([1]);
    expect(await search('%')).toEqual([]);
    expect(await search("'; drop table accounts; --")).toEqual([]);
    const one = (await admin.send({ url: '/api/admin/accounts/1' })).json().data;
    expect(one.keys.map((key: { kind: string }) => key.kind).toSorted()).toEqual(['management', 'regular']);
    expect((await admin.send({ url: '/api/admin/accounts/99' })).statusCode).toBe(404);
  });

  it('stops a disabled account’s sessions and keys, and lets them go on when it is enabled', async () => {
    const { platform, admin } = await openWithAdmin(kind);
    const browser = await signIn(platform, ada);
    expect((await change(admin, 1, { disabled: true })).json().data.state).toBe('disabled');
    expect((await platform.chat()).statusCode).toBe(401);
    expect((await browser.send({ url: '/api/session' })).json().user).toBeNull();
    const refused = await createBrowser(platform.app).post('/api/auth/sign-in', ada);
    expect(refused.json().error.code).toBe('account_disabled');
    expect(refused.headers['set-cookie']).toBeUndefined();
    const wrong = await createBrowser(platform.app).post('/api/auth/sign-in', { ...ada, password: 'wrong' });
    expect(wrong.json().error.code).toBe('sign_in_failed');
    await change(admin, 1, { disabled: false });
    expect((await platform.chat()).statusCode).toBe(200);
    // The old session is gone for ever.
    expect((await browser.send({ url: '/api/session' })).json().user).toBeNull();
  });

  it('never loses its last administrator, not to two who act at once either', async () => {
    const { platform, admin } = await openWithAdmin(kind);
    expect((await change(admin, 2, { is_admin: false })).json().error.code).toBe('conflict');
    expect((await change(admin, 2, { disabled: true })).json().error.code).toBe('conflict');
    await change(admin, 1, { is_admin: true });
    const other = await signIn(platform, ada);
    await Promise.all([change(admin, 1, { is_admin: false }), change(other, 2, { is_admin: false })]);
    const left = await platform.store.db
      .selectFrom('accounts')
      .select('id')
      .where('is_admin', '=', 1)
      .execute();
    expect(left).toHaveLength(1);
  });

  it('books by hand once per key, with a note, and the books balance', async () => {
    const { platform, admin } = await openWithAdmin(kind);
    const url = '/api/admin/accounts/1/grants';
    const grant = { amount_usd: 5, type: 'BONUS', note: 'for testing', once_key: 'a' };
    const answers = await Promise.all([
      admin.post(url, grant),
      admin.post(url, grant),
      admin.post(url, grant),
    ]);
    expect(answers.map((answer) => answer.json().data.is_repeat).toSorted()).toEqual([false, true, true]);
    expect(answers[0]?.json().data.transfer).toMatchObject({ type: 'BONUS', amount_usd: 5, booked_by: 2 });
    expect((await admin.post(url, { ...grant, amount_usd: 6 })).json().error.code).toBe('conflict');
    const taken = await admin.post(url, { amount_usd: '-14.5', type: 'ADJUSTMENT', once_key: 'b' });
    expect(taken.json().data).toMatchObject({ balance_usd: 0.5, transfer: { direction: 'CHARGE' } });
    const tooMuch = await admin.post(url, { amount_usd: -1, type: 'ADJUSTMENT', once_key: 'c' });
    expect(tooMuch.json().error.code).toBe('conflict');
    expect((await admin.post(url, { amount_usd: -1, once_key: 'd' })).json().error.param).toBe('amount_usd');
    expect((await admin.post(url, { amount_usd: 1e-10, once_key: 'e' })).statusCode).toBe(400);
    expect((await admin.post('/api/admin/accounts/99/grants', grant)).statusCode).toBe(404);
    const ledger = (await admin.send({ url: '/api/admin/accounts/1/transactions?limit=2' })).json();
    expect(ledger.data.map(({ type }: { type: string }) => type)).toEqual(['ADJUSTMENT', 'BONUS']);
    expect(ledger.data[1].note).toBe('for testing');
    expect(ledger.pagination.next_cursor).not.toBeNull();
    expect((await verifyLedger(platform.store)).problems).toEqual([]);
  });

  it('gives a charge back once', async () => {
    const { platform, admin } = await openWithAdmin(kind);
    const inferenceId = (await platform.chat()).json().id;
    const url = '/api/admin/accounts/1/refunds';
    const refunded = await admin.post(url, { inference_id: inferenceId, note: 'sorry' });
    expect(refunded.json().data).toMatchObject({
      balance_usd: 10,
      transfer: { type: 'REFUND', reference_id: inferenceId },
    });
    expect((await admin.post(url, { inference_id: inferenceId })).json().error.code).toBe('conflict');
    expect((await admin.post(url, { inference_id: 'chatcmpl-none' })).statusCode).toBe(404);
    expect((await verifyLedger(platform.store)).problems).toEqual([]);
  });

  it('lets new accounts in from the queue, with their credit, or refuses them without a trace', async () => {
    const people = { signUpMode: 'approval', signUpCreditNanoUsd: 2_000_000_000n } as const;
    const { platform, admin } = await openWithAdmin(kind, { people });
    const eve = { email: 'eve@example.org', password: 'long enough' };
    const signUp = async (person: object) =>
      (await createBrowser(platform.app).post('/api/auth/sign-up', { ...person })).json();
    expect(await signUp(eve)).toEqual({ state: 'awaits_approval' });
    // The same answer for an address that is here already.
    expect(await signUp(ada)).toEqual({ state: 'awaits_approval' });
    const early = await createBrowser(platform.app).post('/api/auth/sign-in', eve);
    expect(early.json().error.code).toBe('account_awaits_approval');
    const queue = (await admin.send({ url: '/api/admin/accounts?state=awaits_approval' })).json().data;
    expect(queue).toMatchObject([{ id: 3, email: eve.email, balance_usd: 0 }]);
    expect((await change(admin, 3, { disabled: false })).json().error.code).toBe('conflict');
    const approved = await admin.post('/api/admin/accounts/3/approve');
    expect(approved.json().data).toMatchObject({ state: 'active', balance_usd: 2 });
    expect((await admin.post('/api/admin/accounts/3/approve')).json().error.code).toBe('conflict');
    await signIn(platform, eve);
    await signUp({ ...eve, email: 'mallory@example.org' });
    const waiting = (await admin.send({ url: '/api/admin/accounts?state=awaits_approval' })).json().data;
    const url = `/api/admin/accounts/${waiting[0].id}`;
    expect((await admin.send({ method: 'DELETE', url })).json().data.deleted).toBe(true);
    expect((await admin.send({ method: 'DELETE', url: '/api/admin/accounts/3' })).statusCode).toBe(409);
    const users = await platform.store.db.selectFrom('auth_users').select('email').execute();
    expect(users.map(({ email }) => email)).not.toContain('mallory@example.org');
    expect((await verifyLedger(platform.store)).problems).toEqual([]);
  });

  it('makes accounts with a password to hand over', async () => {
    const { platform, admin } = await openWithAdmin(kind);
    const bob = { email: 'Bob@example.org', password: 'handed over', name: 'Bob' };
    const made = await admin.post('/api/admin/accounts', { ...bob, credit_usd: '1.5' });
    expect(made.json().data).toMatchObject({ email: 'bob@example.org', name: 'Bob', balance_usd: 1.5 });
    await signIn(platform, bob);
    expect((await admin.post('/api/admin/accounts', bob)).json().error.param).toBe('email');
  });
});
