import { describe, expect, it } from 'vitest';
import { createTestApp } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp } from '../__fixtures__/open-platform-app.ts';
import { testModelId } from '../__fixtures__/wire.ts';

const model = {
  id: testModelId,
  object: 'model',
  created: 1_757_030_400,
  owned_by: 'moonshot',
  aliases: ['kimi-k2-turbo-preview', 'kimi-k2-turbo'],
  type: 'openai/chat-completions',
  info: {
    name: 'kimi-k2-turbo-preview',
    developer: 'moonshot',
    description: 'Text in, text out. Answered by a script.',
    contextLength: 4096,
    outputMax: 4096,
  },
  tags: [],
  context_length: 4096,
  backing: {
    engine: 'scripted',
    weights: 'a script',
    size_bytes: null,
    licence: null,
    context_tokens: 4096,
    digest: '00000000',
    schema_enforced: true,
  },
};

describe('GET /v1/models', () => {
  it.each(['/v1/models', '/models', '/api/v1/models', '/v1/models/'])(
    '200: lists what is served, at %s, without a key',
    async (url) => {
      const answer = await createTestApp().app.inject({ url });
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({ object: 'list', data: [model] });
    },
  );
});

describe('the sections of a model', () => {
  const sections = {
    modalities: { input: ['text'], output: ['text'] },
    capabilities: ['streaming', 'structured_output', 'tools'],
    pricing: {
      kind: 'fixed',
      currency: 'USD',
      units: [
        { unit: 'input_tokens', price: 1.15, per: 1_000_000 },
        { unit: 'cached_input_tokens', price: 0.15, per: 1_000_000 },
        { unit: 'object_cached_input_tokens', price: 0, per: 1_000_000 },
        { unit: 'output_tokens', price: 8, per: 1_000_000 },
        { unit: 'cache_creation_tokens', price: 1.15, per: 1_000_000 },
        { unit: 'cache_storage_token_minutes', price: 0.01, per: 1_000_000 },
        { unit: 'web_searches', price: 0.004, per: 1 },
        { unit: 'cache_hits', price: 0.00002, per: 1 },
      ],
    },
  };

  it('200: are all there with include=all and with details', async () => {
    const { app } = await openPlatformApp('sqlite');
    for (const query of [
      'include=all',
      'details=true',
      'details=1',
      'include=pricing,Modalities&include=capabilities,x',
    ]) {
      const listed = await app.inject({ url: `/v1/models?${query}` });
      expect([query, listed.json().data]).toEqual([query, [{ ...model, ...sections }]]);
      const single = await app.inject({ url: `/model/${testModelId}?${query}` });
      expect(single.json()).toEqual({ ...model, ...sections });
    }
  });

  it('200: are there one by one', async () => {
    const { app } = createTestApp();
    const { modalities } = sections;
    const answer = await app.inject({ url: '/models?include=modalities,nonsense' });
    expect(answer.json().data).toEqual([{ ...model, modalities }]);
  });
});

describe('the filters of GET /v1/models', () => {
  it.each([
    ['', 1],
    ['id=gpt-4o,KIMI-K2-TURBO', 1],
    ['id=gpt-4o&id=moonshot/kimi-k2-turbo-preview', 1],
    ['id=kimi', 0],
    ['id=', 1],
    ['type=openai/chat-completions', 1],
    ['type=openai/images', 0],
    ['tags=playground:video', 0],
    ['modalities=image,text', 1],
    ['modalities=image', 0],
    ['input_modalities=text&output_modalities=video', 0],
    ['capabilities=vision,Tools', 1],
    ['capabilities=tools&id=gpt-4o', 0],
  ])('200: %s', async (query, count) => {
    const answer = await createTestApp().app.inject({ url: `/v1/models?${query}` });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().data).toHaveLength(count);
  });
});

describe('the catalogue’s ETag', () => {
  it('304: spares a body that the caller has', async () => {
    const { app } = createTestApp();
    for (const url of ['/v1/models', `/model/${testModelId}`]) {
      const first = await app.inject({ url });
      const etag = String(first.headers.etag);
      expect(etag).toMatch(/^"[\w-]{43}"$/);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await app.inject({ url, headers: { 'if-none-match': known } });
        expect([known, again.statusCode, again.body, again.headers.etag]).toEqual([known, 304, '', etag]);
      }
      const changed = await app.inject({ url, headers: { 'if-none-match': '"other"' } });
      expect(changed.statusCode).toBe(200);
      expect(changed.body).toBe(first.body);
    }
    const other = await app.inject({ url: '/v1/models?include=modalities' });
    expect(other.headers.etag).not.toBe((await app.inject({ url: '/v1/models' })).headers.etag);
  });
});

describe('GET /v1/models/{id}', () => {
  it.each([testModelId, encodeURIComponent(testModelId), 'kimi-k2-turbo'])(
    '200: describes %s',
    async (id) => {
      for (const base of ['/v1/models', '/models', '/api/v1/models', '/model']) {
        const answer = await createTestApp().app.inject({ url: `${base}/${id}` });
        expect(answer.statusCode).toBe(200);
        expect(answer.json()).toEqual(model);
      }
    },
  );

  it('404: does not know other names', async () => {
    const answer = await createTestApp().app.inject({ url: '/v1/models/openai/gpt-4o' });
    expect(answer.statusCode).toBe(404);
    expect(answer.json().error).toMatchObject({
      code: 'model_not_found',
      message: 'Not found the model openai/gpt-4o or Permission denied',
    });
  });
});
