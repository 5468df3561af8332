import { describe, expect, it } from 'vitest';
import { ApiError } from '../../errors.ts';
import { authorization, createTestApp, type TestAppOptions } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp } from '../__fixtures__/open-platform-app.ts';
import { chatBody, testModelId } from '../__fixtures__/wire.ts';

const url = '/v1/tokenizers/estimate-token-count';

async function count(options: TestAppOptions, payload: object = chatBody(), headers: object = authorization) {
  const { app } = createTestApp(options);
  return await app.inject({ method: 'POST', url, headers: { ...headers }, payload });
}

describe('POST /v1/tokenizers/estimate-token-count', () => {
  it('200: is what the engine counts', async () => {
    const answer = await count({ promptTokens: 80 });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ code: 0, data: { total_tokens: 80 }, scode: '0x0', status: true });
  });

  it('200: generates nothing, charges nothing, and gives up what the engine keeps', async () => {
    const app = await openPlatformApp('sqlite');
    expect((await app.send({ method: 'POST', url, payload: chatBody() })).statusCode).toBe(200);
    expect(app.engine.discardCount()).toBe(1);
    expect(app.engine.runs).toEqual([]);
    expect((await app.send({ url: '/v2/billing' })).json().current_balance).toBe(10);
    expect(await app.store.db.selectFrom('usage_requests').selectAll().execute()).toEqual([]);
  });

  it.each([
    [400, 'invalid_request', {}, { model: testModelId }],
    [400, 'context_length_exceeded', { promptTokens: new ApiError('context_length_exceeded') }, chatBody()],
    [403, 'scope_denied', { caller: { scopes: ['files'] } }, chatBody()],
    [404, 'model_not_found', {}, chatBody({ model: 'gpt-4o' })],
    [503, 'model_unavailable', { promptTokens: new ApiError('model_unavailable') }, chatBody()],
  ])('%i: %s', async (status, code, options, payload) => {
    const answer = await count(options, payload);
    expect([answer.statusCode, answer.json().error.code]).toEqual([status, code]);
  });

  it('401: is closed without a key', async () => {
    expect((await count({}, chatBody(), {})).statusCode).toBe(401);
  });
});
