/** Something to see: conversations, keys and requests, made as a person makes them. */
import type { View } from './views.ts';
import { modelName, scriptedModel, type WebSession } from './web-session.ts';

const csrf = { 'x-perigee-csrf': '1' };

/** Resolves to the views that only exist in a filled account. */
export async function fillAccount(session: WebSession): Promise<readonly View[]> {
  await using opened = await session.openPage();
  const { page } = opened;
  const { request } = page;
  for (const name of ['Production', 'Staging']) {
    await request.post(`${session.origin}/v1/keys`, {
      headers: csrf,
      data: { name, limit: { threshold: 5, retention: 'monthly' } },
    });
  }
  for (const content of ['Hello', 'Count to three.', 'Name a colour.']) {
    const messages = [{ role: 'user', content }];
    await request.post(`${session.origin}/v1/chat/completions`, {
      headers: csrf,
      data: { model: modelName, messages, max_tokens: 24 },
    });
  }
  await page.goto(`${session.origin}/app/?model=${scriptedModel}&mode=chat`);
  await page
    .getByRole('textbox', { name: /^Message/ })
    .fill('Write a Python function that merges overlapping intervals.');
  await page.keyboard.press('Enter');
  await page.locator('article[aria-label="Assistant"][aria-busy="false"]').waitFor();
  await page.waitForURL(/\/playground\/[\w-]+$/);
  const conversation = new URL(page.url()).pathname.replace(/^\/app/, '');
  return [
    { name: 'conversation', path: conversation },
    {
      name: 'conversation-compare',
      path: conversation,
      prepare: async (opened) => {
        await opened.getByRole('button', { name: 'Compare' }).click();
      },
    },
  ];
}
