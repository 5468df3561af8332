/** The web app in a real browser, against the real server: what a person does, sees, and must never see. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAxe } from './run-axe.ts';
import { ask, lastAnswer, openPlayground } from './use-playground.ts';
import { openView, views } from './views.ts';
import { modelName, scriptedModel, startWebSession, type WebSession } from './web-session.ts';

let session: WebSession;
beforeAll(async () => {
  session = await startWebSession();
}, 180_000);
afterAll(() => session?.close());

describe('the playground', () => {
  it('opens on the model of the original page’s address, streams its answer and tells what it cost', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await openPlayground(page, session.origin, 'kimi-k2-turbo');
    await page.getByRole('spinbutton', { name: 'Longest answer' }).fill('24');
    await ask(page, 'Say hello.');
    const stats = lastAnswer(page).getByLabel('Numbers of this answer');
    await expect
      .poll(() => stats.innerText())
      .toMatch(/\d+ in[\s\S]*cached[\s\S]*out[\s\S]*first token[\s\S]*\$0\.0/);
    // Kept in the account: the address names it, and a reload shows it again.
    await page.waitForURL(/\/app\/playground\/[\w-]+$/);
    const text = await lastAnswer(page).innerText();
    await page.reload();
    await lastAnswer(page).waitFor();
    expect((await lastAnswer(page).innerText()).slice(0, 20)).toBe(text.slice(0, 20));
    expect(faults).toEqual([]);
  });

  it('guarantees JSON of a schema and checks it before the reader’s eyes', async () => {
    await using opened = await session.openPage({ width: 1440 });
    const { page, faults } = opened;
    await openPlayground(page, session.origin, modelName);
    await page.getByRole('combobox', { name: 'Format' }).click();
    await page.getByRole('option', { name: 'JSON Schema' }).click();
    const schema = page.getByRole('textbox', { name: 'Schema', exact: true });
    await schema.fill('{ "type": "obj');
    await expect.poll(() => schema.getAttribute('aria-invalid')).toBe('true');
    // What cannot be sent yet stays where it was written.
    const message = page.getByRole('textbox', { name: /^Message/ });
    await message.fill('Too early.');
    await page.keyboard.press('Enter');
    await page.getByText('The schema is not valid JSON').waitFor();
    expect(await message.inputValue()).toBe('Too early.');
    expect(await page.getByRole('article').count()).toBe(0);
    await schema.fill(
      '{"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"],"additionalProperties":false}',
    );
    await ask(page, 'Answer as JSON.');
    await lastAnswer(page).getByText('Valid against the schema').waitFor();
    expect(JSON.parse(await lastAnswer(page).locator('pre').innerText())).toEqual({
      ok: expect.any(Boolean),
    });
    expect(faults).toEqual([]);
  });

  it('shows how likely each token was, and what else might have stood there', async () => {
    await using opened = await session.openPage({ width: 1440 });
    const { page, faults } = opened;
    await openPlayground(page, session.origin, modelName);
    await page.getByRole('spinbutton', { name: 'Longest answer' }).fill('12');
    await page.getByRole('spinbutton', { name: 'Token probabilities' }).fill('3');
    await ask(page, 'Say hello.');
    await lastAnswer(page).getByRole('button', { name: 'Raw request and response' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.locator('pre').innerText()).toContain('"top_logprobs": 3');
    await dialog.getByRole('tab', { name: 'Token probabilities' }).click();
    const tokens = dialog.getByRole('toolbar', { name: 'Token probabilities' }).getByRole('button');
    await tokens.first().focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => tokens.nth(1).getAttribute('aria-pressed')).toBe('true');
    const shares = await dialog.getByRole('table').getByRole('cell').filter({ hasText: '%' }).allInnerTexts();
    expect(shares.length).toBeGreaterThanOrEqual(3);
    expect(shares.reduce((sum, share) => sum + Number.parseFloat(share), 0)).toBeLessThanOrEqual(100.5);
    expect(await runAxe(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('judges no call of a tool by the schema of the answer', async () => {
    await using opened = await session.openPage({ width: 1440 });
    const { page } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await page.getByRole('switch', { name: 'Function tools' }).click();
    await page.getByRole('combobox', { name: 'Format' }).click();
    await page.getByRole('option', { name: 'JSON Schema' }).click();
    await ask(page, 'weather in Paris?');
    const text = await lastAnswer(page).innerText();
    expect(text).toContain('get_weather');
    expect(text).not.toContain('Not valid');
    expect(text).not.toContain('tok/s');
  });

  it('takes a tool’s result by hand and goes on with it', async () => {
    await using opened = await session.openPage({ width: 1440 });
    const { page, faults } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await page.getByRole('switch', { name: 'Function tools' }).click();
    await ask(page, 'weather in Paris?');
    expect(await lastAnswer(page).innerText()).toContain('get_weather');
    await page.getByRole('textbox', { name: 'Result of get_weather' }).fill('18 degrees');
    await page.getByRole('button', { name: 'Send results' }).click();
    await page.getByText('You said: 18 degrees').waitFor();
    // Saved as it ended, however fast that was.
    await page.waitForLoadState('networkidle');
    await page.reload();
    await page.getByText('You said: 18 degrees').waitFor();
    expect(faults).toEqual([]);
  });

  it('stops an answer, asks again beside it, and edits a question into a branch', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await page.getByRole('textbox', { name: /^Message/ }).fill('hold on');
    await page.keyboard.press('Enter');
    await page.getByText('The first half').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await lastAnswer(page).getByText('Stopped').waitFor();
    await lastAnswer(page).getByRole('button', { name: 'Answer again' }).click();
    await page.getByText('The first half').waitFor();
    session.upstream.release();
    await page.getByText('The first half and the second.').waitFor();
    await lastAnswer(page).getByRole('button', { name: 'Previous branch' }).click();
    await lastAnswer(page).getByText('Stopped').waitFor();
    await page.getByRole('article', { name: 'You' }).hover();
    await page.getByRole('button', { name: 'Edit and branch' }).click();
    await page.getByRole('textbox', { name: 'Edit and branch' }).fill('other words');
    await page.getByRole('button', { name: 'Send as new branch' }).click();
    await page.getByText('You said: other words').waitFor();
    await page.getByRole('article', { name: 'You' }).getByRole('button', { name: 'Previous branch' }).click();
    await page.getByRole('article', { name: 'You' }).getByText('hold on').waitFor();
  });

  it('shows markup of an answer as text: nothing of it runs, loads or leads anywhere', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await ask(page, 'hostile');
    const answer = lastAnswer(page);
    await answer.locator('.katex').waitFor();
    expect(await answer.innerText()).toContain('<script>window.hacked');
    expect(await answer.getByRole('table').innerText()).toContain('Mars');
    expect(await answer.locator('script, iframe, img, style, [onerror], a[href^="javascript"]').count()).toBe(
      0,
    );
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(faults).toEqual([]);
  });

  it('compares two settings side by side', async () => {
    await using opened = await session.openPage({ width: 1440 });
    const { page } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('button', { name: 'Settings of column 2' }).click();
    await page.getByRole('spinbutton', { name: 'Temperature' }).fill('1.5');
    await page.getByText('temperature 1.5 · scripted').waitFor();
    await page.getByRole('textbox', { name: /^Message/ }).fill('twice');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByText('You said: twice').count()).toBe(2);
    await page.getByRole('button', { name: 'Keep only this column' }).first().click();
    await expect.poll(() => page.getByText('You said: twice').count()).toBe(1);
  });

  it('finds a conversation again by what was said in it', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await ask(page, 'the heron stands still');
    await page.waitForURL(/\/app\/playground\/[\w-]+$/);
    await page.getByRole('button', { name: 'Conversations' }).click();
    const dialog = page.getByRole('dialog');
    const search = dialog.getByRole('searchbox', { name: 'Search conversations' });
    await search.fill('HERON said');
    await dialog.getByRole('link', { name: /the heron stands still/ }).waitFor();
    await expect.poll(() => dialog.getByRole('listitem').count()).toBe(1);
    await search.fill('pelican');
    await dialog.getByText('Nothing found').waitFor();
    expect(await runAxe(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('writes the request as code, with this server’s address', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await ask(page, 'code me');
    await page.getByRole('button', { name: 'View code' }).click();
    const code = page.getByRole('dialog').locator('pre');
    expect(await code.innerText()).toContain(`base_url="${session.origin}/v1"`);
    expect(await code.innerText()).toContain('"content": "code me"');
    await page.getByRole('tab', { name: 'curl' }).click();
    expect(await code.innerText()).toContain(`curl -N ${session.origin}/v1/chat/completions`);
  });

  it('is usable by keyboard alone', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    await page.goto(`${session.origin}/app/docs`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type('zebra');
    await page.getByText('Nothing found for “zebra”.').waitFor();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('playgr');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/app\/playground/);
    await page.getByRole('textbox', { name: /^Message/ }).waitFor();
    await page.keyboard.type('by keys');
    await page.keyboard.press('Enter');
    await lastAnswer(page).waitFor();
    await page.keyboard.press('Control+Shift+C');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});

describe('every view', () => {
  it.each(views)('$name: passes axe in both themes, fits a phone, and reports nothing', async (view) => {
    const isGuest = view.isGuest ?? false;
    await using opened = await session.openPage({ isGuest });
    const { page, faults } = opened;
    await openView(page, session.origin, view);
    expect(await runAxe(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    // Until the new colours are painted.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    expect(await runAxe(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBeLessThanOrEqual(0);
    expect(faults).toEqual([]);
  });

  it('the API reference: shows this server’s own, asks no other host', async () => {
    await using opened = await session.openPage();
    const { page, faults } = opened;
    await page.goto(`${session.origin}/app/docs/reference`);
    const frame = page.frameLocator('iframe');
    await frame.getByText('Create a chat completion').first().waitFor({ timeout: 60_000 });
    expect(faults.filter((fault) => fault.startsWith('a request to'))).toEqual([]);
    expect(faults.filter((fault) => /Content Security Policy/.test(fault))).toEqual([]);
  }, 90_000);
});

// Last: nothing else can run while the server is down.
describe('a server that is killed in the middle of an answer', () => {
  it('is told to the person, who keeps what came and asks again when it is back', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await page.getByRole('textbox', { name: /^Message/ }).fill('hold on');
    await page.keyboard.press('Enter');
    await page.getByText('The first half').waitFor();
    await session.kill();
    await page.getByText('The connection was lost in the middle of the answer').waitFor();
    // Whose script was not loaded: it takes nothing else with it.
    await page.getByRole('button', { name: 'View code' }).click();
    await page.getByText('The server cannot be reached.', { exact: true }).waitFor();
    expect(await lastAnswer(page).innerText()).toContain('The first half');
    await lastAnswer(page).getByRole('button', { name: 'Try again' }).click();
    await page.getByText('The server cannot be reached', { exact: true }).waitFor();
    await session.restart();
    await lastAnswer(page).getByRole('button', { name: 'Try again' }).click();
    await page.getByText('The first half').waitFor();
    session.upstream.release();
    await page.getByText('The first half and the second.').waitFor();
  }, 120_000);

  it('leaves the app standing: a view that was never opened says so, and opens when it is back', async () => {
    await using opened = await session.openPage();
    const { page } = opened;
    await openPlayground(page, session.origin, scriptedModel);
    await session.kill();
    await page.getByRole('link', { name: 'Billing' }).click();
    await page.getByRole('alert').getByText('The server cannot be reached.').waitFor();
    await session.restart();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { level: 1, name: 'Billing' }).waitFor();
  }, 120_000);
});
