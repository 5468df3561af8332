/** How people come in, and what they then find and share: in a real browser, against the real server. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAxe } from './run-axe.ts';
import { ask, lastAnswer, openPlayground } from './use-playground.ts';
import { openView } from './views.ts';
import { scriptedModel, startWebSession, type WebSession } from './web-session.ts';

let session: WebSession;
const go = (page: Page, path: string) => page.goto(`${session.origin}/app${path}`);

const password = 'a-long-enough-password';
const csrf = { 'x-perigee-csrf': '1' };

/** Fills in the form that is open. */
async function signUp(page: Page, email: string | undefined): Promise<void> {
  if (email !== undefined) await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
}

async function signIn(page: Page, email: string, withPassword = password): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(withPassword);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

const composer = (page: Page) => page.getByRole('textbox', { name: /^Message/ });
const accountMenu = (page: Page) => page.getByRole('button', { name: /^Account/ });

describe('a server that is open to everybody', () => {
  beforeAll(async () => {
    session = await startWebSession({
      environment: { PERIGEE_SIGN_UP_MODE: 'open', PERIGEE_SIGN_UP_CREDIT_USD: '2' },
    });
  }, 180_000);
  afterAll(() => session?.close());

  it('takes a newcomer from the form to an answer and a key in one visit, out, and in again', async () => {
    await using opened = await session.openPage({ isGuest: true });
    const { page, faults } = opened;
    await go(page, '/sign-in');
    await page.getByRole('link', { name: 'Create account' }).click();
    await page.getByRole('heading', { name: 'Create your account' }).waitFor();
    await signUp(page, 'newcomer@example.com');
    await composer(page).waitFor();
    await accountMenu(page).getByText('$2.00').waitFor();
    await page.getByRole('combobox', { name: 'Model' }).click();
    await page.getByRole('option', { name: scriptedModel }).click();
    await ask(page, 'first words');
    await lastAnswer(page).getByText('You said: first words').waitFor();

    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByRole('button', { name: 'Create key' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('first key');
    await dialog.getByRole('button', { name: 'Create key' }).click();
    const secret = await page.getByTestId('new-key').innerText();
    await page.getByRole('button', { name: 'Done' }).click();
    const models = await fetch(`${session.origin}/v1/models`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    expect(models.status).toBe(200);

    await accountMenu(page).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Perigee' }).waitFor();
    await go(page, '/keys');
    await signIn(page, 'newcomer@example.com');
    await page.getByRole('row').filter({ hasText: 'first key' }).waitFor();
    expect(faults).toEqual([]);
  });

  it('says at the field that an address is taken, and keeps what was typed', async () => {
    await using opened = await session.openPage({ isGuest: true });
    const { page } = opened;
    await go(page, '/sign-up');
    await signUp(page, 'ada@example.com');
    const email = page.getByLabel('E-mail');
    await expect.poll(() => email.getAttribute('aria-invalid')).toBe('true');
    expect(await email.inputValue()).toBe('ada@example.com');
  });
});

describe('a server where administrators decide', () => {
  beforeAll(async () => {
    session = await startWebSession();
  }, 180_000);
  afterAll(() => session?.close());

  it('lets a newcomer wait until an administrator has approved', async () => {
    await using guest = await session.openPage({ isGuest: true });
    await go(guest.page, '/sign-up');
    await guest.page.getByText('An administrator approves new accounts').waitFor();
    await signUp(guest.page, 'waiting@example.com');
    await guest.page.getByRole('heading', { name: 'Waiting for approval' }).waitFor();
    await guest.page.getByRole('link', { name: 'Back to sign in' }).click();
    await signIn(guest.page, 'waiting@example.com');
    await guest.page.getByRole('alert').getByText('waits for the approval').waitFor();
    expect(await composer(guest.page).count()).toBe(0);

    await using opened = await session.openPage();
    const { page, faults } = opened;
    await go(page, '/admin/accounts');
    const row = page.getByRole('row').filter({ hasText: 'waiting@example.com' });
    await row.getByText('Awaits approval').waitFor();
    await row.click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Active', { exact: true }).waitFor();
    expect(faults).toEqual([]);

    await signIn(guest.page, 'waiting@example.com');
    await composer(guest.page).waitFor();
  });

  it('gives whoever comes by an invite link its credit, once', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await go(page, '/admin/accounts');
    await page.getByRole('tab', { name: 'Invites' }).click();
    await page.getByRole('button', { name: 'Invite somebody' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('E-mail').fill('guest@example.com');
    await dialog.getByLabel('Credit in US dollars').fill('7.5');
    await dialog.getByRole('button', { name: 'Invite somebody' }).click();
    const shown = page.getByRole('dialog', { name: 'Invite link' });
    const link = await shown.locator('code').innerText();
    await shown.getByRole('button', { name: 'Done' }).click();

    await using guest = await session.openPage({ isGuest: true });
    await guest.page.goto(link);
    await guest.page.getByText('This invitation comes with $7.50 of credit.').waitFor();
    expect(await guest.page.getByLabel('E-mail').inputValue()).toBe('guest@example.com');
    await signUp(guest.page, undefined);
    await composer(guest.page).waitFor();
    await accountMenu(guest.page).getByText('$7.50').waitFor();
    expect(guest.faults).toEqual([]);

    await page.reload();
    await page.getByRole('tab', { name: 'Invites' }).click();
    await page.getByRole('row').filter({ hasText: 'guest@example.com' }).getByText('Used').waitFor();
    expect(faults).toEqual([]);
    await using second = await session.openPage({ isGuest: true });
    await second.page.goto(link);
    await second.page.getByText('This invitation is used, has expired or was withdrawn.').waitFor();
  });

  it('replaces a forgotten password without mail, by a link of an administrator', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    const email = 'forgetful@example.com';
    const created = await page.request.post(`${session.origin}/api/admin/accounts`, {
      headers: csrf,
      data: { email, password: 'which-nobody-remembers' },
    });
    expect(created.ok()).toBe(true);
    await using guest = await session.openPage({ isGuest: true });
    await go(guest.page, '/sign-in');
    await guest.page.getByRole('link', { name: 'Forgot password?' }).click();
    await guest.page.getByRole('heading', { name: 'Reset your password' }).waitFor();
    await guest.page.getByLabel('E-mail').fill(email);
    await guest.page.getByRole('button', { name: 'Ask for a reset link' }).click();
    await guest.page.getByText('This server sends no mail.').waitFor();

    await go(page, '/admin/accounts');
    await page.getByRole('tab', { name: 'Password resets' }).click();
    const request = page.getByRole('listitem').filter({ hasText: email });
    await request.getByRole('button', { name: 'Make a link' }).click();
    const link = await page.getByRole('dialog').locator('code').innerText();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('Nobody has asked').waitFor();
    expect(faults).toEqual([]);

    await guest.page.goto(link);
    await guest.page.getByLabel('Password', { exact: true }).fill(password);
    await guest.page.getByRole('button', { name: 'Save password' }).click();
    await guest.page.getByText('Your password is changed.').waitFor();
    expect(guest.faults).toEqual([]);
    await signIn(guest.page, email, 'which-nobody-remembers');
    await guest.page.getByRole('alert').waitFor();
    await signIn(guest.page, email);
    await composer(guest.page).waitFor();
  });

  it('searches when the model asks to, cites in the text, shows the sources and what the search cost', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await Promise.all([waitForLocalIndex(page), setPrice(page)]);
    await openPlayground(page, session.origin, scriptedModel);
    await page.getByRole('button', { name: 'Web search' }).click();
    await composer(page).fill('search context caching');
    await page.keyboard.press('Enter');
    const answers = page.getByRole('article', { name: 'Assistant' });
    await answers.first().getByText('Searched the web').waitFor();
    const costOf = (index: number) => answers.nth(index).getByLabel('Numbers of this answer').innerText();
    // 20 tokens in and 5 out in both; the search is on the answer that asked for it.
    expect(await costOf(0)).toContain('$0.0065');

    const answer = answers.nth(1);
    const card = answer.getByRole('region', { name: 'Sources' }).getByRole('listitem');
    await card.waitFor();
    expect(await card.count()).toBe(1);
    const [number, title, host] = (await card.innerText()).split('\n');
    expect([number, host]).toEqual(['1', 'perigee']);
    // The mark stands where the model wrote it, and names the page of the card.
    const mark = answer.getByLabel(`1: ${title}`, { exact: true });
    expect(await mark.innerText()).toBe('1');
    expect((await answer.locator('p').first().innerText()).replaceAll(/\s+/g, ' ')).toBe(
      '🚀 A prefix that comes again is not computed again 1, which the sources say.',
    );
    await expect.poll(() => costOf(1)).toContain('$0.0025');
    expect(await runAxe(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('shares a conversation with people who have no account, until the link is withdrawn', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await ask(page, 'words for others');
    await page.waitForURL(/\/app\/playground\/[\w-]+$/);
    await page.getByRole('button', { name: 'Share' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    const link = await dialog.getByLabel('Link').inputValue();

    await using guest = await session.openPage({ isGuest: true });
    await guest.page.goto(link);
    await guest.page.getByText('You said: words for others').waitFor();
    expect(await composer(guest.page).count()).toBe(0);
    expect(await runAxe(guest.page)).toEqual([]);
    expect(guest.faults).toEqual([]);

    const download = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Export as JSON' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('words for others.json');
    const exported = JSON.parse(await readFile(await file.path(), 'utf8'));
    expect(exported).toMatchObject({ format: 'perigee-conversation', title: 'words for others' });
    expect(JSON.stringify(exported.content)).toContain('You said: words for others');

    await dialog.getByRole('button', { name: 'Withdraw the link' }).click();
    await dialog.getByRole('button', { name: 'Make a link' }).waitFor();
    expect(faults).toEqual([]);
    await guest.page.reload();
    await guest.page.getByText('This link leads nowhere any more.').waitFor();
  });

  it('leaves whoever went on to another page there when a conversation is saved only then', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    const held = Promise.withResolvers<void>();
    await page.route('**/api/conversations', async (route) => {
      if (route.request().method() === 'POST') await held.promise;
      await route.continue();
    });
    await openPlayground(page, session.origin, scriptedModel);
    await ask(page, 'gone before it was saved');
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByRole('heading', { level: 1, name: 'API keys' }).waitFor();
    const saved = page.waitForResponse((response) => response.request().method() === 'POST');
    held.resolve();
    expect((await saved).ok()).toBe(true);
    // What follows a save is asked for at once.
    await page.waitForLoadState('networkidle');
    expect(new URL(page.url()).pathname).toBe('/app/keys');
    await page.getByRole('link', { name: 'Playground' }).click();
    await page.getByRole('button', { name: 'Conversations' }).click();
    await page.getByRole('dialog').getByText('gone before it was saved').waitFor();
    expect(faults).toEqual([]);
  });

  it('speaks Chinese to a browser that does', async () => {
    await using opened = await session.openPage({ locale: 'zh-CN' });
    const { page, faults } = opened;
    for (const [path, heading] of [
      ['/keys', 'API 密钥'],
      ['/overview', '概览'],
      ['/admin/accounts', '账户'],
    ] as const) {
      await openView(page, session.origin, { name: heading, path });
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
      expect(await runAxe(page)).toEqual([]);
    }
    expect(await page.getByRole('navigation').first().innerText()).not.toMatch(/Playground|Overview|Billing/);
    expect(faults).toEqual([]);
  });
});

/** Resolves when requests are charged by it, which may be a moment after it is set. */
async function setPrice(page: Page): Promise<void> {
  const set = await page.request.put(`${session.origin}/api/admin/prices/${scriptedModel}`, {
    headers: csrf,
    data: { input_usd: 100, output_usd: 100, web_search_usd: 0.004 },
  });
  expect(set.ok()).toBe(true);
  const spend = async (): Promise<unknown> => {
    const answer = await page.request.post(`${session.origin}/v1/chat/completions`, {
      headers: csrf,
      data: { model: scriptedModel, messages: [{ role: 'user', content: 'hello' }] },
    });
    return (await answer.json()).meta.usage.usd_spent;
  };
  await expect.poll(spend, { timeout: 5_000 }).toBe(0.0025);
}

/** The server's own pages come into the index after it listens. */
async function waitForLocalIndex(page: Page): Promise<void> {
  const test = async (): Promise<string> => {
    const answer = await page.request.post(`${session.origin}/api/admin/search-test`, {
      headers: csrf,
      data: { query: 'context caching' },
    });
    return await answer.text();
  };
  await expect.poll(test, { timeout: 60_000 }).toContain('local://perigee/');
}
