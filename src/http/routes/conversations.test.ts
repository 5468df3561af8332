import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { createAccount } from '../../accounts/create-account.ts';
import { createConversations } from '../../conversations/conversations.ts';
import { createBrowser } from '../__fixtures__/browser.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';

const content = { messages: [{ role: 'user', content: 'Grüße 👋' }] };

async function signIn(platform: PlatformApp, email = 'ada@example.org') {
  const browser = createBrowser(platform.app);
  await browser.post('/api/auth/sign-in', { email, password: 'long enough' });
  return browser;
}

async function addEve(platform: PlatformApp) {
  const eve = { email: 'eve@example.org', password: 'long enough', isAdmin: false, openingCreditNanoUsd: 0n };
  await createAccount(platform.store, eve);
  return await signIn(platform, eve.email);
}

describe.each(storeKinds)('conversations on %s', (kind) => {
  it('are kept, changed, exported and deleted', async () => {
    const platform = await openPlatformApp(kind);
    const browser = await signIn(platform);
    const made = (await browser.post('/api/conversations', { title: ' Hello ', content })).json().data;
    expect(made).toMatchObject({ title: 'Hello', revision: 1, share_id: null, content });
    const url = `/api/conversations/${made.id}`;
    const changed = await browser.send({ method: 'PATCH', url, payload: { title: 'Better' } });
    expect(changed.json().data).toMatchObject({ title: 'Better', revision: 2, size_bytes: made.size_bytes });
    expect((await browser.send({ url })).json().data).toMatchObject({ title: 'Better', content });
    const file = await browser.send({ url: `${url}/export` });
    expect(file.headers['content-disposition']).toBe(`attachment; filename="${made.id}.json"`);
    expect(file.json()).toMatchObject({
      format: 'perigee-conversation',
      version: 1,
      title: 'Better',
      content,
    });
    expect((await browser.send({ method: 'DELETE', url })).json().data).toEqual({
      id: made.id,
      deleted: true,
    });
    expect((await browser.send({ url })).json().error.code).toBe('not_found');
  });

  it('saved by another window meanwhile are not overwritten', async () => {
    const platform = await openPlatformApp(kind);
    const browser = await signIn(platform);
    const { id } = (await browser.post('/api/conversations', { title: 'x', content })).json().data;
    const save = async (title: string, revision: number) =>
      await browser.send({ method: 'PATCH', url: `/api/conversations/${id}`, payload: { title, revision } });
    expect((await save('first', 1)).statusCode).toBe(200);
    const late = await save('late', 1);
    expect(late.statusCode).toBe(409);
    expect(late.json().error).toMatchObject({ code: 'conflict', param: 'revision' });
    expect((await browser.send({ url: `/api/conversations/${id}` })).json().data.title).toBe('first');
  });

  it('are listed page by page, newest change first, without their content', async () => {
    const platform = await openPlatformApp(kind);
    const browser = await signIn(platform);
    for (let number = 1; number <= 5; number += 1) {
      // Two of each moment, so that the id decides as well.
      platform.setNow(testNowMs + Math.floor(number / 2));
      await browser.post('/api/conversations', { title: `${number}`, content });
    }
    const titles: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = (await browser.send({ url: `/api/conversations?limit=2${query}` })).json();
      expect(page.data.length).toBeLessThanOrEqual(2);
      expect(page.data[0]).not.toHaveProperty('content');
      titles.push(...page.data.map((each: { title: string }) => each.title));
      cursor = page.pagination.next_cursor;
    }
    expect(titles.toSorted()).toEqual(['1', '2', '3', '4', '5']);
    expect(new Set(titles.slice(0, 2))).toEqual(new Set(['4', '5']));
    expect((await browser.send({ url: '/api/conversations?cursor=forged' })).statusCode).toBe(400);
  });

  it('are found by words of their title and messages, and only one’s own', async () => {
    const platform = await openPlatformApp(kind);
    const [ada, eve] = [await signIn(platform), await addEve(platform)];
    const say = (text: string) => ({ settings: { model: 'hidden' }, nodes: { a: { role: 'user', text } } });
    const drafts = [
      { title: 'Überlappende Intervalle', content: say('Write a MERGE function.') },
      { title: '100% sure', content: say('把区间合并') },
      { title: 'Other', content: say('100 of them') },
    ];
    for (const draft of drafts) await ada.post('/api/conversations', draft);
    await eve.post('/api/conversations', { title: 'mine', content: say('merge') });
    const find = async (search: string) =>
      (await ada.send({ url: `/api/conversations?search=${encodeURIComponent(search)}` }))
        .json()
        .data.map(({ title }: { title: string }) => title);
    expect(await find('merge')).toEqual(['Überlappende Intervalle']);
    expect(await find('ÜBERLAPPENDE merge')).toEqual(['Überlappende Intervalle']);
    expect(await find('überlappende nothing')).toEqual([]);
    expect(await find('合并')).toEqual(['100% sure']);
    expect(await find('100%')).toEqual(['100% sure']);
    // Names and settings around the messages are nobody's words.
    expect(await find('role')).toEqual([]);
    expect(await find('hidden')).toEqual([]);
    expect(await find(' ')).toHaveLength(3);
    const [{ id }] = (await ada.send({ url: '/api/conversations?search=sure' })).json().data;
    await ada.send({ method: 'PATCH', url: `/api/conversations/${id}`, payload: { title: 'Renamed' } });
    expect(await find('sure')).toEqual([]);
    expect(await find('合并 renamed')).toEqual(['Renamed']);
    await ada.send({ method: 'PATCH', url: `/api/conversations/${id}`, payload: { content: say('anew') } });
    expect(await find('合并')).toEqual([]);
    expect(await find('anew')).toEqual(['Renamed']);
    const tooLong = await ada.send({ url: `/api/conversations?search=${'x'.repeat(201)}` });
    expect(tooLong.json().error).toMatchObject({ code: 'invalid_request', param: 'search' });
  });

  it('that were saved before searches were kept are found by their own text', async () => {
    const platform = await openPlatformApp(kind);
    const browser = await signIn(platform);
    await browser.post('/api/conversations', { title: 'Old One', content: { text: 'Early words' } });
    await platform.store.db
      .updateTable('conversations')
      .set({ title_folded: null, text_folded: null })
      .execute();
    for (const search of ['old', 'early']) {
      const found = await browser.send({ url: `/api/conversations?search=${search}` });
      expect(found.json().data).toHaveLength(1);
    }
  });

  it('are nobody else’s, until they are shared and only as long', async () => {
    const platform = await openPlatformApp(kind);
    const [ada, eve] = [await signIn(platform), await addEve(platform)];
    const { id } = (await ada.post('/api/conversations', { title: 'secret', content })).json().data;
    const url = `/api/conversations/${id}`;
    const tries = [
      { url },
      { url: `${url}/export` },
      { method: 'PATCH', url, payload: { title: 'mine' } },
      { method: 'DELETE', url },
      { method: 'PUT', url: `${url}/share` },
      { method: 'DELETE', url: `${url}/share` },
    ] as const;
    for (const request of tries) expect((await eve.send(request)).statusCode).toBe(404);
    expect((await eve.send({ url: '/api/conversations' })).json().data).toEqual([]);
    const share = async () => (await ada.send({ method: 'PUT', url: `${url}/share` })).json().data.share_id;
    const shareId = await share();
    expect(shareId).toMatch(/^[\w-]{24}$/);
    expect(await share()).toBe(shareId);
    const shared = await platform.app.inject({ url: `/api/shared/${shareId}` });
    expect(shared.json().data).toEqual({ title: 'secret', content, updated_at: '2026-01-02T03:04:05.000Z' });
    await ada.send({ method: 'DELETE', url: `${url}/share` });
    expect((await platform.app.inject({ url: `/api/shared/${shareId}` })).statusCode).toBe(404);
    const both = await Promise.all([share(), share()]);
    expect(both[0]).toBe(both[1]);
    expect(both[0]).not.toBe(shareId);
  });

  it('have bounds in size and number', async () => {
    const platform = await openPlatformApp(kind);
    const browser = await signIn(platform);
    const large = await browser.post('/api/conversations', {
      title: 'x',
      content: { text: 'x'.repeat(1e6) },
    });
    expect(large.json().error).toMatchObject({ code: 'invalid_request', param: 'content' });
    const nested = `{"title":"x","content":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`;
    const deep = await browser.send({ method: 'POST', url: '/api/conversations', payload: nested });
    expect(deep.json().error).toMatchObject({ code: 'invalid_request', param: 'content' });
    const conversations = createConversations(platform.store, { perAccountMax: 2 });
    const draft = { title: 'x', content: '{}' };
    await conversations.create(1, draft);
    await conversations.create(1, draft);
    await expect(conversations.create(1, draft)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('keep U+0000 in their content, where JSON escapes it, and refuse it everywhere else', async () => {
    const platform = await openPlatformApp(kind);
    const browser = await signIn(platform);
    const kept = await browser.post('/api/conversations', { title: 'x', content: { a: '\0' } });
    expect(kept.json().data.content).toEqual({ a: '\0' });
    const named = await browser.post('/api/conversations', { title: 'a\0b', content });
    expect(named.json().error).toMatchObject({ code: 'invalid_request', param: 'title' });
    const urls = ['/api/shared/%00', '/api/conversations/a%00', '/api/requests?period=24h&id=%00'];
    for (const url of urls) {
      expect((await browser.send({ url })).json().error.code).toBe('invalid_request');
    }
  });
});

describe('a conversation', () => {
  it.each([
    ['title', { title: ' ', content }],
    ['title', { title: 'x'.repeat(201), content }],
    ['content', { title: 'x', content: [1] }],
    ['content', { title: 'x' }],
  ])('with a bad %s is refused by name', async (param, payload) => {
    const platform = await openPlatformApp('sqlite');
    const browser = await signIn(platform);
    const answer = await browser.post('/api/conversations', payload);
    expect(answer.json().error).toMatchObject({ code: 'invalid_request', param });
  });
});
