/** Dashboard and administration in a real browser: what a person does there holds for programs, and the reverse. */
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptedModel, startWebSession, type WebSession } from './web-session.ts';

let session: WebSession;
beforeAll(async () => {
  session = await startWebSession();
}, 180_000);
afterAll(() => session?.close());

const go = (page: Page, path: string) => page.goto(`${session.origin}/app${path}`);

/** As a program does: a bearer key and nothing else. */
async function askWithKey(key: string, text = 'hello') {
  const response = await fetch(`${session.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: scriptedModel,
      messages: [{ role: 'user', content: text }],
      max_tokens: 10,
    }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** Makes a key through the dialog and returns the secret that is shown once. */
async function createKey(page: Page, name: string, limitUsd?: string): Promise<string> {
  await go(page, '/keys');
  await page.getByRole('button', { name: 'Create key' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  if (limitUsd !== undefined) await dialog.getByLabel('Spending limit').fill(limitUsd);
  await dialog.getByRole('button', { name: 'Create key' }).click();
  const secret = await page.getByTestId('new-key').innerText();
  await page.getByRole('button', { name: 'Done' }).click();
  // It gives the focus back when it goes, which would close a menu that was opened before.
  await dialog.waitFor({ state: 'detached' });
  return secret;
}

const keyRow = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

/** In pixels from the left edge of the window. */
async function rightEdge(shown: Locator): Promise<number> {
  const box = await shown.boundingBox();
  return box === null ? Number.POSITIVE_INFINITY : box.x + box.width;
}

async function chooseAction(page: Page, name: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

describe('prices, keys and money', () => {
  it('a price that an administrator sets is charged, logged and booked to the nano-dollar', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await go(page, '/admin/models');
    const card = page.locator('section').filter({ hasText: scriptedModel });
    await card.getByRole('button', { name: 'Set price' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Input', { exact: true }).fill('1');
    await dialog.getByLabel('Output', { exact: true }).fill('2');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await card.getByText('$2.00').waitFor();

    const key = await createKey(page, 'paying program');
    // Other processes learn of a price within a second; this one at once, or at the next look.
    await expect.poll(async () => (await askWithKey(key)).body.meta.usage.usd_spent).toBe(0.00003);

    await go(page, '/requests');
    await page
      .getByRole('row')
      .filter({ hasText: 'paying program' })
      .filter({ hasText: '$0.000030' })
      .first()
      .click();
    await page.getByText('$0.000030000').waitFor();
    await page.getByText('Price version 1').waitFor();
    const inferenceId = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    expect(inferenceId).toMatch(/^chatcmpl-/);

    await go(page, '/billing');
    const entry = page.getByRole('row').filter({ hasText: inferenceId });
    expect(await entry.innerText()).toContain('−$0.000030000');
    expect(faults).toEqual([]);
  });

  it('a phone shows what every movement cost, and how a key with a long name stands', async () => {
    await using opened = await session.openPage({ width: 360, height: 740 });
    const { page } = opened;
    await createKey(page, 'a program whose name is much too long for a phone');
    const status = keyRow(page, 'much too long').getByText('Enabled');
    await status.waitFor();
    expect(await rightEdge(status)).toBeLessThanOrEqual(360);
    await go(page, '/billing');
    const amount = page.getByRole('row').last().getByText('$');
    await amount.waitFor();
    expect(await rightEdge(amount)).toBeLessThanOrEqual(360);
  });

  it('a limit that is reached is a clear 403 for the program and a full bar for the person', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    const key = await createKey(page, 'narrow program', '1');
    expect((await askWithKey(key)).status).toBe(200);
    await chooseAction(page, 'narrow program', 'Edit');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Spending limit').fill('0.00003');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(async () => (await askWithKey(key)).status, { timeout: 5_000 }).toBe(403);
    expect((await askWithKey(key)).body.error.code).toBe('key_limit_reached');
    await page.reload();
    await keyRow(page, 'narrow program').getByText('Limit reached').waitFor();
  });

  it('a key that is disabled stops within a second, and works again when enabled', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    const key = await createKey(page, 'switched program');
    await chooseAction(page, 'switched program', 'Disable');
    await keyRow(page, 'switched program').getByText('Disabled').waitFor();
    await expect.poll(async () => (await askWithKey(key)).status, { timeout: 5_000 }).toBe(401);
    await chooseAction(page, 'switched program', 'Enable');
    await keyRow(page, 'switched program').getByText('Enabled').waitFor();
    await expect.poll(async () => (await askWithKey(key)).status, { timeout: 5_000 }).toBe(200);
    await chooseAction(page, 'switched program', 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
    await keyRow(page, 'switched program').waitFor({ state: 'detached' });
    await expect.poll(async () => (await askWithKey(key)).status, { timeout: 5_000 }).toBe(401);
  });

  it('usage shows what the API says', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    const key = await createKey(page, 'counted program');
    await askWithKey(key);
    await askWithKey(key);
    await go(page, '/usage');
    await page.getByText('Key', { exact: true }).click();
    const row = page.getByRole('table').last().getByRole('row').filter({ hasText: 'counted program' });
    const cells = await row.getByRole('cell').allInnerTexts();
    expect(cells.slice(0, 4)).toEqual(['counted program', '2', '0', '40']);
    expect(cells.at(-1)).toBe('$0.000060');
    await page.getByRole('button', { name: 'Show as table' }).click();
    await page.getByRole('columnheader', { name: 'Day' }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export CSV' }).click();
    expect((await download).suggestedFilename()).toBe('usage-30d.csv');
    expect(faults).toEqual([]);
  });
});

describe('people', () => {
  it('an administrator makes an account, credits it once, and the new person signs in to it', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await go(page, '/admin/accounts');
    await page.getByRole('button', { name: 'Create account' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('E-mail').fill('grace@example.com');
    await form.getByLabel('First password', { exact: true }).fill('another-long-password');
    await form.getByRole('button', { name: 'Create account' }).click();
    await form.waitFor({ state: 'detached' });
    await page.getByRole('row').filter({ hasText: 'grace@example.com' }).click();
    await page.getByRole('button', { name: 'Add credit' }).click();
    await page.getByRole('dialog').getByLabel('Amount in US dollars').fill('12.5');
    await page.getByRole('dialog').getByLabel('Note').fill('welcome');
    await page.getByRole('dialog').getByRole('button', { name: 'Add credit' }).click();
    await page.getByRole('row').filter({ hasText: 'welcome' }).getByText('+$12.500000000').waitFor();
    expect(faults).toEqual([]);

    await using guest = await session.openPage({ isGuest: true });
    await go(guest.page, '/billing');
    await guest.page.getByLabel('E-mail').fill('grace@example.com');
    await guest.page.getByLabel('Password', { exact: true }).fill('another-long-password');
    await guest.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await guest.page.getByText('25,000,000 credits').waitFor();
    expect(await guest.page.getByRole('link', { name: 'Accounts' }).count()).toBe(0);
  });

  it('a profile is changed, and other devices are signed out', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    await go(page, '/settings');
    await page.getByLabel('Name').fill('Ada L.');
    await page.getByRole('button', { name: 'Save' }).click();
    await page
      .getByRole('button', { name: /^Account/ })
      .getByText('Ada L.')
      .waitFor();
    await page.getByText('This device').waitFor();
  });
});

describe('search', () => {
  it('an administrator sees which backends answer, and with what', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await go(page, '/admin/search');
    await page.getByLabel('Test query').fill('context caching');
    await page.getByRole('button', { name: 'Test' }).click();
    const local = page.locator('section').filter({ has: page.getByRole('heading', { name: 'local' }) });
    await local.getByText('Answered').waitFor();
    expect(faults).toEqual([]);
  });
});

describe('the system', () => {
  it('shows an administrator how the server’s own jobs do', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await go(page, '/admin/system');
    const jobs = page.getByRole('region', { name: 'Jobs' }).getByRole('row');
    // The other one runs first after a minute.
    await jobs.filter({ hasText: 'Build, charge and end context caches' }).getByText('Fine').waitFor();
    expect(await jobs.count()).toBe(3);
    expect(faults).toEqual([]);
  });
});

describe('context caches and files', () => {
  it('a cache that a program made is listed with its end, and deleted', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    const key = await createKey(page, 'caching program');
    const created = await fetch(`${session.origin}/v1/caching`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: scriptedModel,
        name: 'a long novel',
        messages: [{ role: 'system', content: 'It was the best of times. '.repeat(200) }],
        ttl: 600,
      }),
    });
    expect(created.status).toBe(200);
    await go(page, '/caches');
    await page
      .getByRole('row')
      .filter({ hasText: 'a long novel' })
      .getByText(/^00:0\d:\d\d$/)
      .waitFor();
    await chooseAction(page, 'a long novel', 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete cache' }).click();
    await page.getByText('No context caches').waitFor();
  });

  it('a file is uploaded, read and deleted', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    await go(page, '/files');
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Upload files' }).click();
    await (await chooser).setFiles({
      name: 'notes.md',
      mimeType: 'text/markdown',
      buffer: Buffer.from('# Moon\n\nPerigee is near.'),
    });
    await page.getByRole('row').filter({ hasText: 'notes.md' }).getByText('Ready').waitFor();
    await chooseAction(page, 'notes.md', 'Show text');
    await page.getByRole('dialog').getByText('Perigee is near.').waitFor();
    await page.keyboard.press('Escape');
    await chooseAction(page, 'notes.md', 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete file' }).click();
    await page.getByText('No files yet').waitFor();
  });
});
