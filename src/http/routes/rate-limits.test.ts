import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { createAccount } from '../../accounts/create-account.ts';
import { createBarrier } from '../../engines/scripted/barrier.ts';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import type { LimitSettings } from '../../limits/limit-administration.ts';
import { createBrowser } from '../__fixtures__/browser.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';
import { chatBody } from '../__fixtures__/wire.ts';

const script = () => scriptText('Hello', ' there');

async function readKeyId(app: PlatformApp): Promise<{ readonly id: number; readonly prefix: string }> {
  return await app.store.db
    .selectFrom('api_keys')
    .select(['id', 'prefix'])
    .where('prefix', '=', app.key.slice(0, 8))
    .executeTakeFirstOrThrow();
}

async function limitKey(app: PlatformApp, change: Partial<LimitSettings>): Promise<void> {
  const { id: keyId } = await readKeyId(app);
  await app.limits.change({ scope: 'key', keyId }, change);
}

async function limitAccount(app: PlatformApp, change: Partial<LimitSettings>): Promise<void> {
  await app.limits.change({ scope: 'account', accountId: app.accountId }, change);
}

describe.each(storeKinds)('rate limits on %s', (kind) => {
  it('count tokens as they count chats: requests and places, whatever comes of them', async () => {
    const app = await openPlatformApp(kind);
    await limitKey(app, { requestsPerMinute: 2, concurrency: 1, tokensPerMinute: 1 });
    const count = async (fields: object = {}) =>
      await app.send({
        method: 'POST',
        url: '/v1/tokenizers/estimate-token-count',
        payload: { ...chatBody(), ...fields },
      });
    const counted = await count();
    expect([counted.statusCode, counted.headers['x-ratelimit-remaining']]).toEqual([200, '1']);
    const builtin = { type: 'builtin_function', function: { name: '$web_search' } };
    expect((await count({ tools: [builtin] })).statusCode).toBe(400);
    const refused = await count();
    expect([refused.statusCode, refused.json().error.code]).toEqual([429, 'rate_limit_reached']);
    app.setNow(testNowMs + 61_000);
    expect((await count()).statusCode).toBe(200);
  });

  it('are no part of an answer while nothing is limited', async () => {
    const app = await openPlatformApp(kind, { script });
    const { statusCode, headers } = await app.chat();
    expect(statusCode).toBe(200);
    expect(Object.keys(headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
  });

  it('refuse a request over the minute in Moonshot’s words, and take it when the wait is over', async () => {
    const app = await openPlatformApp(kind, { script });
    await limitKey(app, { requestsPerMinute: 2 });
    const first = await app.chat();
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '1',
      'x-ratelimit-reset': '60',
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-reset-requests': '60s',
    });
    app.setNow(testNowMs + 20_000);
    expect((await app.chat({ stream: true })).headers).toMatchObject({ 'x-ratelimit-remaining': '0' });
    const refused = await app.chat();
    const { prefix } = await readKeyId(app);
    const text = `Your account ${app.accountId}<${prefix}> request reached max request: 2, please try again after 41 seconds. This is the limit of the API key.`;
    expect(refused.statusCode).toBe(429);
    expect(refused.headers).toMatchObject({
      'retry-after': '41',
      'x-should-retry': 'true',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '41',
    });
    expect(refused.json()).toMatchObject({
      message: `Too Many Requests: ${text}`,
      error: { type: 'rate_limit_reached_error', code: 'rate_limit_reached', message: text },
    });
    app.setNow(testNowMs + 20_000 + 41_000);
    expect((await app.chat()).statusCode).toBe(200);
  });

  it('never name a wait over a minute', async () => {
    const app = await openPlatformApp(kind, { script });
    await limitKey(app, { requestsPerMinute: 2 });
    const answers = [await app.chat(), await app.chat(), await app.chat()];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'x-ratelimit-reset': '60',
        'x-ratelimit-reset-requests': '60s',
      });
    }
  });

  it('of an account hold over all its keys, and say so', async () => {
    const app = await openPlatformApp(kind, { script });
    await limitAccount(app, { requestsPerMinute: 1 });
    await limitKey(app, { requestsPerMinute: 50 });
    expect((await app.chat()).headers).toMatchObject({ 'x-ratelimit-limit': '1' });
    const { error } = (await app.chat()).json();
    expect(error.message).toContain('This is the limit of the account, over all its keys.');
    const stranger = await app.addStranger();
    expect((await app.chat({}, stranger)).statusCode).toBe(200);
  });

  it('of tokens count what was used, not what was reserved', async () => {
    const app = await openPlatformApp(kind, { script, promptTokens: 10 });
    await limitKey(app, { tokensPerMinute: 100 });
    const first = await app.chat({ max_tokens: 80 });
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit-tokens': '100',
      'x-ratelimit-remaining-tokens': '10',
    });
    // 10 of prompt and 2 of output were used.
    expect((await app.chat({ max_tokens: 70 })).headers).toMatchObject({
      'x-ratelimit-remaining-tokens': '8',
    });
    const refused = await app.chat({ max_tokens: 80 });
    expect(refused.statusCode).toBe(429);
    expect(refused.json().error.message).toContain('request reached TPM rate limit, current:24, limit:100, ');
    expect((await app.chat({ max_tokens: 66 })).statusCode).toBe(200);
  });

  it('of a day say when it ends, and begin with what the log has of it', async () => {
    const app = await openPlatformApp(kind, { script, promptTokens: 10 });
    expect((await app.chat()).statusCode).toBe(200);
    await limitAccount(app, { tokensPerDay: 40 });
    expect((await app.chat({ max_tokens: 18 })).statusCode).toBe(200);
    const refused = await app.chat({ max_tokens: 8 });
    expect(refused.headers).toMatchObject({ 'retry-after': '60' });
    expect(refused.json().error.message).toContain(
      'request reached TPD rate limit, current:24, limit:40, the day ends in 1256 minutes (00:00 UTC)',
    );
    app.setNow(Date.UTC(2026, 0, 3));
    expect((await app.chat({ max_tokens: 18 })).statusCode).toBe(200);
  });

  it('tell a request that can never fit not to try again', async () => {
    const app = await openPlatformApp(kind, { script, promptTokens: 10 });
    await limitKey(app, { tokensPerMinute: 50, requestsPerMinute: 1 });
    const refused = await app.chat({ max_tokens: 41 });
    expect(refused.statusCode).toBe(429);
    expect(refused.headers).toMatchObject({ 'x-should-retry': 'false' });
    expect(refused.headers['retry-after']).toBeUndefined();
    expect(refused.json().error).toMatchObject({
      type: 'rate_limit_reached_error',
      code: 'request_exceeds_rate_limit',
      param: 'max_tokens',
    });
    // It did not count as the one request either.
    expect((await app.chat({ max_tokens: 40 })).statusCode).toBe(200);
  });

  it('of concurrency are free again when the answer has ended, well or badly', async () => {
    const barrier = createBarrier();
    let runs = 0;
    const app = await openPlatformApp(kind, {
      script: () => {
        runs += 1;
        return runs === 1
          ? [{ type: 'wait', barrier }, ...script()]
          : [{ type: 'fail', error: new Error('no') }];
      },
    });
    await limitKey(app, { concurrency: 1 });
    const running = app.chat();
    await barrier.reached();
    const refused = await app.chat();
    expect(refused.statusCode).toBe(429);
    expect(refused.json().error.message).toContain(
      'request reached max concurrency: 1, please try again after 1 seconds',
    );
    barrier.open();
    expect((await running).statusCode).toBe(200);
    expect((await app.chat()).statusCode).toBe(500);
    expect((await app.chat()).statusCode).toBe(500);
  });

  it('do not count what was refused for its content or for want of credits', async () => {
    const app = await openPlatformApp(kind, { script });
    await limitKey(app, { requestsPerMinute: 1, concurrency: 1 });
    expect(
      (await app.chat({ tools: [{ type: 'builtin_function', function: { name: '$other' } }] })).statusCode,
    ).toBe(400);
    await app.store.db.updateTable('balances').set({ balance_nano_usd: 0n }).execute();
    expect((await app.chat()).statusCode).toBe(403);
    await app.store.db.updateTable('balances').set({ balance_nano_usd: 1_000_000_000n }).execute();
    expect((await app.chat()).statusCode).toBe(200);
    expect((await app.chat()).statusCode).toBe(429);
  });

  it('follow the default, the account and the setting in that order, and hold at once', async () => {
    const app = await openPlatformApp(kind, { script });
    const limitOf = async () => (await app.chat()).headers['x-ratelimit-limit'];
    await app.limits.change({ scope: 'default' }, { requestsPerMinute: 30 });
    expect(await limitOf()).toBe('30');
    await limitAccount(app, { requestsPerMinute: 'unlimited' });
    expect(await limitOf()).toBeUndefined();
    await limitAccount(app, { requestsPerMinute: 20, concurrency: 5 });
    expect(await limitOf()).toBe('20');
    await limitAccount(app, { requestsPerMinute: null });
    expect(await limitOf()).toBe('30');
    expect(await app.limits.read({ scope: 'account', accountId: app.accountId })).toEqual({
      requestsPerMinute: null,
      tokensPerMinute: null,
      tokensPerDay: null,
      concurrency: 5,
    });
    await expect(app.limits.change({ scope: 'default' }, { tokensPerDay: 0 })).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'rate_limits.tokens_per_day',
    });
  });

  it('of a key are set and read with a management key', async () => {
    const app = await openPlatformApp(kind, { script });
    const { prefix } = await readKeyId(app);
    const url = `/v1/keys/${prefix}/rate-limits`;
    const payload = { requests_per_minute: 7, concurrency: 'unlimited' };
    const set = { ...payload, tokens_per_minute: null, tokens_per_day: null };
    const changed = await app.send({ method: 'PATCH', url, payload }, app.managementKey);
    expect([changed.statusCode, changed.json()]).toEqual([200, { data: set }]);
    expect((await app.send({ url }, app.managementKey)).json()).toEqual({ data: set });
    expect((await app.chat()).headers).toMatchObject({ 'x-ratelimit-limit': '7' });
    const send = async (fields: object, to = url, secret = app.managementKey) =>
      (await app.send({ method: 'PATCH', url: to, payload: fields }, secret)).statusCode;
    expect(await send({ requests_per_minute: 0 })).toBe(400);
    expect(await send({ rpm: 5 })).toBe(400);
    const wrong = await app.send(
      { method: 'PATCH', url, payload: { concurrency: 'none' } },
      app.managementKey,
    );
    expect(wrong.json().error.message).toContain(
      'concurrency: expected `unlimited` or number, received `none`',
    );
    expect(await send({}, '/v1/keys/unknown1/rate-limits')).toBe(404);
    expect(await send({}, url, app.key)).toBe(403);
  });

  it('of accounts and their default are set by administrators alone', async () => {
    const app = await openPlatformApp(kind, { script });
    const root = { email: 'root@example.org', password: 'long enough' };
    await createAccount(app.store, { ...root, isAdmin: true, openingCreditNanoUsd: 0n });
    const browser = createBrowser(app.app);
    const patch = async (path: string, payload: object) =>
      await browser.send({ method: 'PATCH', url: `/api/admin/${path}`, payload });
    expect((await patch('rate-limits', {})).statusCode).toBe(401);
    await browser.post('/api/auth/sign-in', root);
    expect((await patch('rate-limits', { requests_per_minute: 40 })).statusCode).toBe(200);
    expect((await app.chat()).headers).toMatchObject({ 'x-ratelimit-limit': '40' });
    const account = `accounts/${app.accountId}/rate-limits`;
    expect((await patch(account, { requests_per_minute: 9 })).json().data.requests_per_minute).toBe(9);
    expect((await app.chat()).headers).toMatchObject({ 'x-ratelimit-limit': '9' });
    expect((await browser.send({ url: `/api/admin/${account}` })).json().data.requests_per_minute).toBe(9);
    expect((await patch('accounts/999/rate-limits', {})).statusCode).toBe(404);
    expect((await patch('accounts/x/rate-limits', {})).statusCode).toBe(404);
  });
});
