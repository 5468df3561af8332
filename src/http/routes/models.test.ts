import { describe, expect, it } from 'vitest';
import { createTestApp } from '../__fixtures__/create-test-app.ts';
import { testModelId } from '../__fixtures__/wire.ts';

const model = {
  id: testModelId,
  object: 'model',
  created: 1_757_030_400,
  owned_by: 'moonshot',
  aliases: ['kimi-k2-turbo-preview', 'kimi-k2-turbo'],
  type: 'openai/chat-completions',
  info: { name: 'kimi-k2-turbo-preview', developer: 'moonshot', contextLength: 4096 },
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

describe('GET /v1/models/{id}', () => {
  it.each([testModelId, encodeURIComponent(testModelId), 'kimi-k2-turbo'])(
    '200: describes %s',
    async (id) => {
      for (const base of ['/v1/models', '/models', '/api/v1/models']) {
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
