import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import { createBrowser } from '../__fixtures__/browser.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp } from '../__fixtures__/open-platform-app.ts';
import { chatBody } from '../__fixtures__/wire.ts';

const ada = { email: 'ada@example.org', password: 'long enough' };
const model = 'moonshot/kimi-k2-turbo-preview';

/** Two requests of a key, one of them failed, and one of the playground; the clock stands a second later. */
async function openUsedApp(kind: (typeof storeKinds)[number]) {
  let count = 0;
  const platform = await openPlatformApp(kind, {
    script: () => {
      count += 1;
      if (count === 2) throw new ApiError('engine_failed');
      return scriptText('x');
    },
  });
  const browser = createBrowser(platform.app);
  await browser.post('/api/auth/sign-in', ada);
  await platform.chat();
  platform.setNow(testNowMs + 10);
  await platform.chat();
  platform.setNow(testNowMs + 20);
  await browser.send({ method: 'POST', url: '/v1/chat/completions', payload: chatBody({}) });
  platform.setNow(testNowMs + 1_000);
  return { platform, browser };
}

describe.each(storeKinds)('the dashboard’s figures on %s', (kind) => {
  it('200: usage has every key of the account, day by day', async () => {
    const { platform, browser } = await openUsedApp(kind);
    const answer = await browser.send({ url: '/api/usage?period=7d&tz=Europe/Berlin' });
    expect(answer.statusCode).toBe(200);
    const usage = answer.json();
    expect(usage.steps.length).toBeGreaterThanOrEqual(7);
    // Browsers report some zones under the names they had before.
    const renamed = await browser.send({ url: '/api/usage?period=7d&tz=Asia/Calcutta' });
    expect(renamed.statusCode).toBe(200);
    expect(usage.total.requests).toEqual({ succeeded: 2, failed: 1, charged: 2 });
    const prefixes = usage.points.map((point: { key_prefix: string }) => point.key_prefix);
    expect(prefixes).toContain(platform.key.slice(0, 8));
    expect(new Set(prefixes).size).toBe(2);
  });

  it('200: usage by the hour has at most as many hours as one statement can ask for', async () => {
    const { browser } = await openUsedApp(kind);
    const hours = await browser.send({ url: '/api/usage?period=24h&step=hour' });
    expect(hours.json().steps.length).toBeGreaterThanOrEqual(24);
    const tooMany = await browser.send({ url: '/api/usage?period=30d&step=hour' });
    expect(tooMany.statusCode).toBe(400);
    expect(tooMany.json().error).toMatchObject({ param: 'step' });
  });

  it('200: the log has the requests of all keys, newest first, page by page', async () => {
    const { browser } = await openUsedApp(kind);
    const first = (await browser.send({ url: '/api/requests?period=24h&limit=2' })).json();
    expect(first.data.map((row: { origin: string; status: string }) => [row.origin, row.status])).toEqual([
      ['playground', 'succeeded'],
      ['api', 'failed'],
    ]);
    expect(first.data[1]).toMatchObject({ error_code: 'engine_failed', cost_usd: 0 });
    const cursor = encodeURIComponent(first.pagination.next_cursor);
    const second = (await browser.send({ url: `/api/requests?period=24h&limit=2&cursor=${cursor}` })).json();
    expect(second.data).toHaveLength(1);
    expect(second.pagination.next_cursor).toBeNull();
    const failed = (await browser.send({ url: '/api/requests?period=24h&status=failed' })).json();
    expect(failed.data).toHaveLength(1);
  });

  it('400: refuses a cursor that was not issued', async () => {
    const { browser } = await openUsedApp(kind);
    // The second holds U+0000, which PostgreSQL takes in no value.
    for (const text of ['nonsense', '[1,"chatcmpl-\\u0000"]']) {
      const cursor = Buffer.from(text).toString('base64url');
      const answer = await browser.send({ url: `/api/requests?period=24h&cursor=${cursor}` });
      expect(answer.statusCode).toBe(400);
      expect(answer.json().error).toMatchObject({ param: 'cursor' });
    }
  });

  it('200: a request’s story names its price and its charge; 404 for another account’s', async () => {
    const { platform, browser } = await openUsedApp(kind);
    const [played] = (await browser.send({ url: '/api/requests?period=24h' })).json().data;
    const story = (await browser.send({ url: `/api/requests/${played.inference_id}` })).json().data;
    expect(story).toMatchObject({ model, status: 'succeeded', price: { input_usd: 1.15, output_usd: 8 } });
    expect(story.charged_at).not.toBeNull();
    const strangersKey = await platform.addStranger();
    await platform.chat({}, strangersKey);
    const { inference_id: strangersId } = await platform.store.db
      .selectFrom('usage_requests')
      .select('inference_id')
      .where('account_id', '=', 2)
      .executeTakeFirstOrThrow();
    const refused = await browser.send({ url: `/api/requests/${strangersId}` });
    expect(refused.statusCode).toBe(404);
  });

  it('200: keys tell what their limits have counted', async () => {
    const { browser } = await openUsedApp(kind);
    const limit = { retention: 'month', threshold: 1 };
    const made = (await browser.post('/v1/keys', { name: 'narrow', limit })).json().data;
    const { data } = (await browser.send({ url: '/api/keys' })).json();
    const byName = new Map(data.map((key: { name: string }) => [key.name, key]));
    expect(byName.get('narrow')).toMatchObject({
      prefix: made.prefix,
      limit,
      limit_spent: 0,
      last_used_at: null,
    });
    expect(byName.get('first')).toMatchObject({ limit: null, limit_spent: null });
  });

  it('401: none of it without a session, also with a key', async () => {
    const { platform } = await openUsedApp(kind);
    for (const url of ['/api/usage?period=24h', '/api/requests?period=24h', '/api/requests/x', '/api/keys']) {
      const answer = await platform.send({ url });
      expect(answer.statusCode).toBe(401);
      expect(answer.json().error.code).toBe('not_signed_in');
    }
  });
});
