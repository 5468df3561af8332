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
      data: { name, limit: { threshold: 5, retention: 'month' } },
    });
  }
  for (const content of ['Hello', 'Count to three.', 'Name a colour.']) {
    const messages = [{ role: 'user', content }];
    await request.post(`${session.origin}/v1/chat/completions`, {
      headers: csrf,
      data: { model: modelName, messages, max_tokens: 24 },
    });
  }
  await request.post(`${session.origin}/v1/caching`, {
    headers: csrf,
    data: {
      model: modelName,
      name: 'Handbook',
      messages: [{ role: 'system', content: 'You answer questions about the handbook. '.repeat(20) }],
      ttl: 3_600,
    },
  });
  await request.post(`${session.origin}/v1/files`, {
    headers: csrf,
    multipart: {
      purpose: 'file-extract',
      file: { name: 'handbook.md', mimeType: 'text/markdown', buffer: Buffer.from('# Handbook') },
    },
  });
  await page.goto(`${session.origin}/app/?model=${scriptedModel}&mode=chat`);
  await page
    .getByRole('textbox', { name: /^Message/ })
    .fill('Write a Python function that merges overlapping intervals.');
  await page.keyboard.press('Enter');
  await page.locator('article[aria-label="Assistant"][aria-busy="false"]').waitFor();
  await page.waitForURL(/\/playground\/[\w-]+$/);
  const conversation = new URL(page.url()).pathname.replace(/^\/app/, '');
  const id = conversation.split('/').at(-1);
  const shared = await request.put(`${session.origin}/api/conversations/${id}/share`, { headers: csrf });
  const requests = await request.get(`${session.origin}/api/requests?period=24h`, { headers: csrf });
  return [
    { name: 'shared', path: `/shared/${(await shared.json()).data.share_id}`, isGuest: true },
    { name: 'story', path: `/requests/${(await requests.json()).data[0].inference_id}` },
    { name: 'admin-account', path: '/admin/accounts/1' },
    { name: 'reference', path: '/docs/reference' },
    openedBy('conversation-raw', conversation, 'Raw request and response'),
    openedBy('conversation-history', conversation, 'Conversations'),
    openedBy('conversation-share', conversation, 'Share'),
    openedBy('key-dialog', '/keys', 'Create key'),
    openedBy('grant-dialog', '/admin/accounts/1', 'Add credit'),
    openedBy('price-dialog', '/admin/models', 'Set price'),
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

/** What a button of a page shows. */
function openedBy(name: string, path: string, button: string): View {
  return {
    name,
    path,
    prepare: async (page) => {
      await page.getByRole('button', { name: button, exact: true }).first().click();
      await page.getByRole('dialog').waitFor();
    },
  };
}
