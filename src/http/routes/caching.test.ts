import { describe, expect, it } from 'vitest';
import { type StoreKind, storeKinds } from '../../../test/services/test-stores.ts';
import { verifyLedger } from '../../billing/verify-ledger.ts';
import type { ScriptStep } from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';
import { testModelId } from '../__fixtures__/wire.ts';

const nowSeconds = testNowMs / 1_000;
const system = { role: 'system', content: 'You know a long story.' };
const question = { role: 'user', content: 'What happens?' };

/** A million tokens, all of them reused: figures that can be checked by eye. */
const promptTokens = 1_000_000;
const answer: ScriptStep[] = [
  { type: 'text-delta', choice: 0, text: 'Much.' },
  { type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: 1 },
  {
    type: 'finish',
    usage: { promptTokens, cachedTokens: promptTokens, completionTokens: 1, source: 'engine' },
  },
];

async function openApp(kind: StoreKind): Promise<PlatformApp> {
  return await openPlatformApp(kind, { script: () => answer, promptTokens });
}

async function createCache(app: PlatformApp, fields: Record<string, unknown> = {}) {
  const payload = { model: testModelId, messages: [system], ...fields };
  const created = await app.send({ method: 'POST', url: '/v1/caching', payload });
  await app.tendCaches();
  return created;
}

const get = async (app: PlatformApp, url: string, secret?: string) =>
  await app.send({ method: 'GET', url }, secret);

/** Nano-dollars of all charges, oldest first. */
async function readCharges(app: PlatformApp): Promise<bigint[]> {
  const rows = await app.store.db
    .selectFrom('ledger_transfers')
    .select('amount_nano_usd')
    .where('type', '=', 'MODEL_USAGE')
    .orderBy('id')
    .execute();
  return rows.map((row) => row.amount_nano_usd);
}

async function expectSoundBooks(app: PlatformApp): Promise<void> {
  expect((await verifyLedger(app.store)).problems).toEqual([]);
}

describe.each(storeKinds)('context caches on %s', (kind) => {
  it('are pending when they are created, ready when they are computed, and shown as they were sent', async () => {
    const app = await openApp(kind);
    const created = await createCache(app, { name: 'story', metadata: { k: 'v' }, ttl: 600, tags: ['mine'] });
    expect(created.statusCode).toBe(200);
    expect(created.json()).toEqual({
      id: 'cache-000000000000000000000001',
      object: 'context-cache',
      status: 'pending',
      created_at: nowSeconds,
      expired_at: nowSeconds + 600,
      tokens: promptTokens,
      model: testModelId,
      messages: [system],
      tools: null,
      name: 'story',
      description: null,
      metadata: { k: 'v' },
      backing: 'resent',
    });
    const { id } = created.json();
    expect((await get(app, `/v1/caching/${id}`)).json()).toMatchObject({ id, status: 'ready' });
    expect((await get(app, '/v1/caching/refs/tags/mine/content')).json()).toMatchObject({ id });
    await expectSoundBooks(app);
  });

  it('serve a chat by id, by tag and by header, each for the fee of a hit', async () => {
    const app = await openApp(kind);
    const { id } = (await createCache(app, { ttl: 600, tags: ['mine'] })).json();
    const charged = (await readCharges(app)).length;
    const byId = await app.chat({ messages: [{ role: 'cache', content: `cache_id=${id}` }, question] });
    expect(byId.json().usage).toMatchObject({ prompt_tokens: promptTokens, cached_tokens: promptTokens });
    expect(byId.headers).toMatchObject({
      'msh-context-cache-id': id,
      'msh-context-cache-token-saved': String(promptTokens),
      'msh-context-cache-token-exp': String(nowSeconds + 600),
      'msh-context-cache-token-ttl': '600',
    });
    expect(app.engine.runs.at(-1)?.request).toMatchObject({
      messages: [{ text: system.content }, { text: question.content }],
      cacheHint: id,
    });
    const byTag = await app.chat({
      messages: [{ role: 'cache', content: 'tag=mine;reset_ttl=3600' }, question],
    });
    expect(byTag.headers['msh-context-cache-token-exp']).toBe(String(nowSeconds + 3_600));
    const byHeader = await app.send({
      method: 'POST',
      url: '/v1/chat/completions',
      headers: { 'x-msh-context-cache': id, 'x-msh-context-cache-reset-ttl': '7200' },
      payload: { model: testModelId, messages: [system, question] },
    });
    expect(byHeader.headers['msh-context-cache-token-exp']).toBe(String(nowSeconds + 7_200));
    // One output token at 8 dollars per million, and 0.00002 dollars for the hit; the prompt itself is free.
    expect((await readCharges(app)).slice(charged)).toEqual([28_000n, 28_000n, 28_000n]);
    await expectSoundBooks(app);
  });

  it('charge creation when ready, storage by the second, and nothing after deletion', async () => {
    const app = await openApp(kind);
    const { id } = (await createCache(app)).json();
    // 1.15 dollars per million tokens.
    expect(await readCharges(app)).toEqual([1_150_000_000n]);
    app.setNow(testNowMs + 3_600_000);
    await app.tendCaches();
    app.setNow(testNowMs + 3_690_000);
    const deleted = await app.send({ method: 'DELETE', url: `/v1/caching/${id}` });
    expect(deleted.json()).toEqual({ deleted: true, id, object: 'context_cache_object.deleted' });
    // 0.01 dollars a minute: an hour, then a minute and a half.
    expect(await readCharges(app)).toEqual([1_150_000_000n, 600_000_000n, 15_000_000n]);
    expect((await get(app, `/v1/caching/${id}`)).statusCode).toBe(404);
    app.setNow(testNowMs + 9_000_000);
    await app.tendCaches();
    expect(await readCharges(app)).toHaveLength(3);
    await expectSoundBooks(app);
  });

  it('end in the second that they were given, however late somebody looks', async () => {
    const app = await openApp(kind);
    const { id } = (await createCache(app, { expired_at: nowSeconds + 5_400 })).json();
    app.setNow(testNowMs + 5_400_000);
    expect((await get(app, `/v1/caching/${id}`)).json().status).toBe('inactive');
    app.setNow(testNowMs + 90_000_000);
    await app.tendCaches();
    expect((await readCharges(app)).slice(1)).toEqual([900_000_000n]);
    const used = await app.chat({ messages: [{ role: 'cache', content: `cache_id=${id}` }, question] });
    expect(used.statusCode).toBe(400);
    expect(used.json().error.message).toMatch(/is inactive: it expired at 2026-01-02T04:34:05.000Z/);
    await expectSoundBooks(app);
  });

  it('end when the money does, and never below zero', async () => {
    const app = await openApp(kind);
    // Of 10 dollars 1.15 are for the creation; the rest stores a million tokens for 885 minutes.
    const { id } = (await createCache(app, { ttl: 86_400 })).json();
    app.setNow(testNowMs + 86_400_000);
    await app.tendCaches();
    expect((await readCharges(app)).reduce((sum, amount) => sum + amount, 0n)).toBe(10_000_000_000n);
    const { status, expired_at } = (await get(app, `/v1/caching/${id}`)).json();
    expect({ status, expired_at }).toEqual({ status: 'inactive', expired_at: nowSeconds + 885 * 60 });
    const tooDear = await createCache(app);
    expect(tooDear.statusCode).toBe(403);
    expect(tooDear.json().error.code).toBe('insufficient_balance');
    // A change is made whole or not at all.
    const payload = { ttl: 3_600, metadata: { a: 'b' } };
    const refused = await app.send({ method: 'PUT', url: `/v1/caching/${id}`, payload });
    expect(refused.json().error.code).toBe('insufficient_balance');
    expect((await get(app, `/v1/caching/${id}`)).json().metadata).toEqual({});
    await expectSoundBooks(app);
  });

  it('begin another life, computed and paid for anew, when their end is moved after it', async () => {
    const app = await openApp(kind);
    const { id } = (await createCache(app, { ttl: 60 })).json();
    app.setNow(testNowMs + 120_000);
    const revived = await app.send({ method: 'PUT', url: `/v1/caching/${id}`, payload: { ttl: 60 } });
    expect(revived.json()).toMatchObject({ status: 'pending', expired_at: nowSeconds + 180 });
    await app.tendCaches();
    expect((await get(app, `/v1/caching/${id}`)).json().status).toBe('ready');
    expect(await readCharges(app)).toEqual([1_150_000_000n, 10_000_000n, 1_150_000_000n]);
    const extended = await app.send({
      method: 'PUT',
      url: `/v1/caching/${id}`,
      payload: { ttl: 600, metadata: { a: 'b' } },
    });
    expect(extended.json()).toMatchObject({
      status: 'ready',
      expired_at: nowSeconds + 720,
      metadata: { a: 'b' },
    });
    expect(await readCharges(app)).toHaveLength(3);
    await expectSoundBooks(app);
  });

  it('are nobody else’s', async () => {
    const app = await openApp(kind);
    const { id } = (await createCache(app, { tags: ['mine'] })).json();
    const stranger = await app.addStranger();
    for (const url of [
      `/v1/caching/${id}`,
      '/v1/caching/refs/tags/mine',
      '/v1/caching/refs/tags/mine/content',
    ]) {
      expect((await get(app, url, stranger)).statusCode).toBe(404);
    }
    expect((await get(app, '/v1/caching', stranger)).json().data).toEqual([]);
    for (const content of [`cache_id=${id}`, 'tag=mine']) {
      const messages = [{ role: 'cache', content }, question];
      expect((await app.chat({ messages }, stranger)).statusCode).toBe(404);
    }
    const tag = { tag: 'theirs', cache_id: id };
    const stolen = await app.send({ method: 'POST', url: '/v1/caching/refs/tags', payload: tag }, stranger);
    expect(stolen.statusCode).toBe(404);
  });

  it('say why they could not be made, and give back what was held', async () => {
    const app = await openPlatformApp(kind, {
      promptTokens,
      script: () => [
        { type: 'fail', error: new ApiError('not_supported', { message: 'Invalid request: no.' }) },
      ],
    });
    const { id } = (await createCache(app)).json();
    const cache = (await get(app, `/v1/caching/${id}`)).json();
    expect(cache).toMatchObject({
      status: 'error',
      error: { type: 'invalid_request_error', message: 'Invalid request: no.' },
    });
    const used = await app.chat({ messages: [{ role: 'cache', content: `cache_id=${id}` }, question] });
    expect(used.json().error.message).toContain('Invalid request: no.');
    expect(await readCharges(app)).toEqual([]);
    const balances = await app.store.db.selectFrom('balances').select('held_nano_usd').execute();
    expect(balances).toEqual([{ held_nano_usd: 0n }]);
    expect((await app.send({ method: 'DELETE', url: `/v1/caching/${id}` })).statusCode).toBe(200);
    await expectSoundBooks(app);
  });

  it('are listed page by page, by age and by metadata', async () => {
    const app = await openApp(kind);
    const ids: string[] = [];
    for (const colour of ['red', 'blue', 'red']) {
      ids.push((await createCache(app, { metadata: { colour }, ttl: 60 })).json().id);
    }
    const list = async (query: string) => {
      const { data, has_more } = (await get(app, `/v1/caching${query}`)).json();
      return { ids: data.map(({ id }: { id: string }) => ids.indexOf(id)), has_more };
    };
    expect(await list('')).toEqual({ ids: [2, 1, 0], has_more: false });
    expect(await list('?order=asc&limit=2')).toEqual({ ids: [0, 1], has_more: true });
    expect(await list(`?order=asc&after=${ids[1]}`)).toEqual({ ids: [2], has_more: false });
    expect(await list(`?order=asc&before=${ids[2]}&limit=1`)).toEqual({ ids: [1], has_more: true });
    expect(await list('?metadata[colour]=red')).toEqual({ ids: [2, 0], has_more: false });
    for (const query of ['?limit=0', '?limit=101', '?order=up', '?after=cache-none']) {
      expect((await get(app, `/v1/caching${query}`)).statusCode).toBe(400);
    }
  });

  it('are five where five are allowed, however many are asked for at once', async () => {
    const app = await openPlatformApp(kind, { script: () => answer, promptTokens: 1_000 });
    const answers = await Promise.all(Array.from({ length: 9 }, () => createCache(app)));
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(5);
    for (const refused of answers.filter(({ statusCode }) => statusCode !== 200)) {
      expect([refused.statusCode, refused.json().error.message]).toEqual([
        400,
        expect.stringMatching(/has 5 context caches/),
      ]);
    }
    expect((await get(app, '/v1/caching')).json().data).toHaveLength(5);
    await expectSoundBooks(app);
  });

  it('are counted by the rate limits as a chat with the same prompt, but not when they are refused', async () => {
    const app = await openPlatformApp(kind, { script: () => answer, promptTokens: 1_000 });
    const { accountId } = app;
    await app.limits.change(
      { scope: 'account', accountId },
      { requestsPerMinute: 3, tokensPerMinute: 2_500 },
    );
    const missing = await createCache(app, { tags: ['a'.repeat(1_000)] });
    expect(missing.statusCode).toBe(400);
    const first = await createCache(app, { ttl: 60 });
    expect(first.headers).toMatchObject({ 'x-ratelimit-limit': '3', 'x-ratelimit-remaining': '2' });
    const second = await createCache(app, { ttl: 60 });
    expect([first.statusCode, second.statusCode]).toEqual([200, 200]);
    const third = await createCache(app);
    expect(third.statusCode).toBe(429);
    expect(third.json().error.message).toMatch(/TPM rate limit, current:2000, limit:2500/);
    // The one that was refused has taken no request: the third one of this minute is still there.
    await app.limits.change({ scope: 'account', accountId }, { tokensPerMinute: 10_000 });
    expect((await createCache(app)).statusCode).toBe(200);
    const fourth = await createCache(app);
    expect(fourth.json().error.message).toMatch(/max request: 3/);
    // Another life is computed as well; the minute of the first requests is over then, and its two are taken.
    app.setNow(testNowMs + 120_000);
    const put = { method: 'PUT', url: `/v1/caching/${first.json().id}`, payload: { ttl: 60 } } as const;
    expect((await app.send(put)).headers).toMatchObject({ 'x-ratelimit-remaining': '2' });
    await expectSoundBooks(app);
  });

  it('refuse a sixth one where five are allowed', async () => {
    const app = await openPlatformApp(kind, { script: () => answer, promptTokens: 1_000 });
    for (let count = 0; count < 5; count++) expect((await createCache(app)).statusCode).toBe(200);
    const sixth = await createCache(app);
    expect(sixth.statusCode).toBe(400);
    expect(sixth.json().error.message).toMatch(/has 5 context caches/);
  });

  it('have tags that can be set, moved, listed and deleted', async () => {
    const app = await openApp(kind);
    const [first, second] = [await createCache(app, { ttl: 60 }), await createCache(app, { ttl: 60 })];
    const set = async (cacheId: string) =>
      await app.send({
        method: 'POST',
        url: '/v1/caching/refs/tags',
        payload: { tag: 'mine', cache_id: cacheId },
      });
    const tag = {
      tag: 'mine',
      object: 'context_cache_object.tag',
      owned_by: String(app.accountId),
      created_at: nowSeconds,
    };
    expect((await set(first.json().id)).json()).toEqual({ ...tag, cache_id: first.json().id });
    expect((await set(second.json().id)).json()).toEqual({ ...tag, cache_id: second.json().id });
    expect((await get(app, '/v1/caching/refs/tags')).json()).toEqual({
      object: 'list',
      data: [{ ...tag, cache_id: second.json().id }],
      has_more: false,
    });
    const url = '/v1/caching/refs/tags/mine';
    const removed = { deleted: true, object: 'context_cache_object.tag.deleted', tag: 'mine' };
    expect((await app.send({ method: 'DELETE', url })).json()).toEqual(removed);
    for (const missing of [await get(app, url), await app.send({ method: 'DELETE', url })]) {
      expect(missing.statusCode).toBe(404);
      expect(missing.json().error).toMatchObject({
        type: 'resource_not_found_error',
        code: 'cache_not_found',
      });
    }
  });
});

describe('a context cache under an Idempotency-Key', () => {
  it('is used once: the kept answer is given again when the cache is long gone', async () => {
    const app = await openApp('sqlite');
    const { id } = (await createCache(app, { ttl: 600 })).json();
    const ask = async () =>
      await app.send({
        method: 'POST',
        url: '/v1/chat/completions',
        headers: { 'idempotency-key': 'once' },
        payload: {
          model: testModelId,
          messages: [{ role: 'cache', content: `cache_id=${id};reset_ttl=3600` }, question],
        },
      });
    const first = await ask();
    expect(first.headers['msh-context-cache-token-exp']).toBe(String(nowSeconds + 3_600));
    await app.send({ method: 'DELETE', url: `/v1/caching/${id}` });
    const charges = await readCharges(app);
    const again = await ask();
    expect(again.body).toBe(first.body);
    expect(again.headers).toMatchObject({
      'x-perigee-idempotent-replay': 'true',
      'msh-context-cache-id': id,
    });
    expect(await readCharges(app)).toEqual(charges);
    await expectSoundBooks(app);
  });
});

describe('a context cache that is only looked at', () => {
  it('is neither extended nor charged, and nothing is generated', async () => {
    const app = await openApp('sqlite');
    const { id } = (await createCache(app, { ttl: 600 })).json();
    const [runs, charges] = [app.engine.runs.length, (await readCharges(app)).length];
    const content = `cache_id=${id};reset_ttl=9999;dry_run=1`;
    const dry = await app.chat({ messages: [{ role: 'cache', content }, question] });
    expect(dry.json()).toMatchObject({ object: 'chat.completion', choices: [], usage: { total_tokens: 0 } });
    expect(dry.headers['msh-context-cache-token-exp']).toBe(String(nowSeconds + 600));
    const stream = await app.chat({ stream: true, messages: [{ role: 'cache', content }, question] });
    expect(stream.body).toMatch(/^data: \{.*\}\n\ndata: \[DONE\]\n\n$/);
    expect([app.engine.runs.length, (await readCharges(app)).length]).toEqual([runs, charges]);
    expect((await get(app, `/v1/caching/${id}`)).json().expired_at).toBe(nowSeconds + 600);
  });
});

describe('a header that names a context cache', () => {
  it('costs the normal price when the request begins otherwise, and is refused in a dry run', async () => {
    const app = await openApp('sqlite');
    const { id } = (await createCache(app, { ttl: 600 })).json();
    const send = async (headers: Record<string, string>) =>
      await app.send({
        method: 'POST',
        url: '/v1/chat/completions',
        headers: { 'x-msh-context-cache': id, ...headers },
        payload: { model: testModelId, messages: [{ ...system, content: 'Another story.' }, question] },
      });
    const plain = await send({});
    expect(plain.statusCode).toBe(200);
    expect(plain.headers['msh-context-cache-id']).toBeUndefined();
    const dry = await send({ 'x-msh-context-cache-dryrun': '1' });
    expect(dry.statusCode).toBe(400);
    expect(dry.json().error.message).toMatch(/do not begin with those of the context cache/);
    const nothing = await app.send({
      method: 'POST',
      url: '/v1/chat/completions',
      headers: { 'x-msh-context-cache': id, 'content-type': 'application/json' },
      payload: 'null',
    });
    expect(nothing.statusCode).toBe(400);
    const unknown = await app.send({
      method: 'POST',
      url: '/v1/chat/completions',
      headers: { 'x-msh-context-cache': 'cache-none' },
      payload: { model: testModelId, messages: [system, question] },
    });
    expect(unknown.statusCode).toBe(404);
  });
});

describe('a request about context caches', () => {
  const longText = 'x'.repeat(600);
  const bodies: [string, Record<string, unknown>, RegExp][] = [
    ['both ends', { ttl: 60, expired_at: nowSeconds + 60 }, /either `ttl` or `expired_at`/],
    ['an end in the past', { expired_at: nowSeconds - 1 }, /must be in the future/],
    ['an end in a year', { expired_at: nowSeconds + 31_536_000 }, /at most 30 days/],
    ['no time', { ttl: 0 }, /ttl: must be at least 1/],
    ['no messages', { messages: [] }, /messages: must not be empty/],
    [
      'a partial message',
      { messages: [system, { role: 'assistant', content: 'And', partial: true }] },
      /partial: is not allowed/,
    ],
    ['a long name', { name: longText }, /name: must have at most 256/],
    ['a long description', { description: longText }, /description: must have at most 512/],
    ['long metadata', { metadata: { k: longText } }, /metadata\.k: must have at most 512/],
    [
      'much metadata',
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) },
      /at most 16 pairs/,
    ],
    ['a strange tag', { tags: ['a b'] }, /tags\[0\]: must match/],
    [
      'a call of an undeclared tool',
      {
        messages: [
          question,
          {
            role: 'assistant',
            tool_calls: [{ id: 'f:0', type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
          { role: 'tool', tool_call_id: 'f:0', content: 'x' },
        ],
      },
      /calls a function that `tools` does not declare/,
    ],
    [
      'a builtin tool',
      { tools: [{ type: 'builtin_function', function: { name: '$web_search' } }] },
      /cannot be part of a context cache/,
    ],
  ];
  it.each(bodies)('is refused in words for %s', async (_, fields, message) => {
    const app = await openApp('sqlite');
    const refused = await createCache(app, fields);
    expect(refused.statusCode).toBe(400);
    expect(refused.json().error).toMatchObject({
      type: 'invalid_request_error',
      message: expect.stringMatching(message),
    });
  });

  const contents: [string, RegExp][] = [
    ['', /expected text such as/],
    ['cache_id=cache-1;', /without one at the end/],
    ['cache_id=cache-1;tag=mine', /either `cache_id=…` or `tag=…`/],
    ['reset_ttl=60', /either `cache_id=…` or `tag=…`/],
    ['tag=mine;reset_ttl=0', /reset_ttl must be a number of seconds/],
    ['tag=mine;dry_run=yes', /dry_run must be 0 or 1/],
    ['tag=mi\0ne', /U\+0000/],
    ['tag=mine;colour=red', /then `reset_ttl=…`/],
  ];
  it.each(contents)('is refused in words for a cache message of `%s`', async (content, message) => {
    const app = await openApp('sqlite');
    const refused = await app.chat({ messages: [{ role: 'cache', content }, question] });
    expect(refused.statusCode).toBe(400);
    expect(refused.json().error.message).toMatch(message);
  });

  it('is refused when the cache message is not the first, or tools stand beside it', async () => {
    const app = await openApp('sqlite');
    const { id } = (await createCache(app)).json();
    const cache = { role: 'cache', content: `cache_id=${id}` };
    const late = await app.chat({ messages: [question, cache] });
    expect(late.json().error).toMatchObject({ param: 'messages[1].role' });
    const tooled = await app.chat({ messages: [cache, question], tools: [] });
    expect(tooled.json().error).toMatchObject({ param: 'tools' });
    expect((await app.chat({ messages: [cache, question], tools: null })).statusCode).toBe(200);
  });

  it('needs the scope `caching`', async () => {
    const app = await openApp('sqlite');
    const payload = { scopes: ['chat'] };
    const made = await app.send({ method: 'POST', url: '/v1/keys', payload }, app.managementKey);
    const { key } = made.json().data;
    expect((await get(app, '/v1/caching', key)).statusCode).toBe(403);
    const used = await app.chat({ messages: [{ role: 'cache', content: 'tag=mine' }, question] }, key);
    expect(used.json().error.code).toBe('scope_denied');
  });
});

it('a context cache of messages or tools that are nested too deeply to be kept is refused', async () => {
  const app = await openApp('sqlite');
  const deep: unknown = JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`);
  for (const [field, value] of [
    ['messages', [{ ...system, extra: deep }]],
    ['tools', [{ type: 'function', function: { name: 'f' }, extra: deep }]],
  ] as const) {
    const refused = await createCache(app, { [field]: value });
    expect([refused.statusCode, refused.json().error]).toMatchObject([
      400,
      { param: field, message: expect.stringContaining('200 levels deep') },
    ]);
  }
});
