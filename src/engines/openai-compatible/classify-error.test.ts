import { describe, expect, it } from 'vitest';
import { classifyResponse, classifyStreamError, classifyTransport } from './classify-error.ts';

const failure = (code: string): Error => Object.assign(new Error('secret 10.0.0.7'), { code });

describe('an upstream’s error status', () => {
  it.each([
    [400, 'invalid_request'],
    [401, 'upstream_failed'],
    [402, 'upstream_failed'],
    [403, 'upstream_failed'],
    [404, 'model_unavailable'],
    [408, 'engine_timeout'],
    [413, 'invalid_request'],
    [418, 'upstream_failed'],
    [422, 'invalid_request'],
    [429, 'engine_overloaded'],
    [500, 'upstream_failed'],
    [502, 'upstream_failed'],
    [503, 'model_unavailable'],
    [504, 'engine_timeout'],
    [529, 'engine_overloaded'],
    [302, 'upstream_failed'],
  ])('%i is %s to our caller, whatever the body is', (status, code) => {
    for (const body of [{ error: { message: 'm' } }, { error: 'm' }, 'm', '', null, [], 7]) {
      expect(classifyResponse(status, body, {})).toMatchObject({ code });
    }
  });

  it('never shows the caller what only concerns the operator, and logs no text that may repeat a secret', () => {
    for (const status of [401, 402, 403, 404, 429, 500, 503]) {
      const error = classifyResponse(status, { error: { message: 'bad key sk-123', type: 'auth' } }, {});
      expect(error.message).not.toMatch(/sk-123|auth/);
      expect(error.internal).toBe(`the upstream answered ${status}: auth`);
    }
  });

  it('tells the caller why the request itself was refused', () => {
    const error = classifyResponse(400, { error: { message: 'temperature must be below 1' } }, {});
    expect(error.message).toContain('temperature must be below 1');
  });

  it.each([
    { code: 'context_length_exceeded' },
    { type: 'exceed_context_size_error', code: 400 },
    { type: 'BadRequestError', param: 'input_tokens', code: 400 },
  ])('knows a prompt that is too long by %o', (fields) => {
    const body = { error: { message: 'too long', ...fields } };
    expect(classifyResponse(400, body, {})).toMatchObject({ code: 'context_length_exceeded', status: 400 });
    // vLLM's older releases answer with the error itself.
    expect(classifyResponse(400, body.error, {})).toMatchObject({ code: 'context_length_exceeded' });
  });

  it('gives the figures of a prompt that is too long where the upstream has them', () => {
    const error = { type: 'exceed_context_size_error', n_prompt_tokens: 9412, n_ctx: 8192 };
    expect(classifyResponse(400, { error }, {}).message).toBe(
      'Invalid request: Your request exceeded model token limit: 8192 (requested: 9412)',
    );
  });

  it('gives the upstream’s own words for such a prompt where it has no figures', () => {
    const error = { code: 'context_length_exceeded', message: 'limit 8192, requested 9412' };
    expect(classifyResponse(400, { error }, {}).message).toBe(
      'Invalid request: the engine behind this model refused it: limit 8192, requested 9412',
    );
  });

  it.each([
    [{ 'retry-after': '7' }, 7],
    [{ 'retry-after': '3600' }, 60],
    [{ 'retry-after': '0' }, 1],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 2],
    [{ 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' }, 60],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('reads the wait of %o as %s seconds', (headers, seconds) => {
    expect(classifyResponse(429, {}, headers).retryAfterSeconds).toBe(seconds);
  });
});

describe('an error inside a stream', () => {
  it.each([
    [{ message: 'm', code: 429 }, 'engine_overloaded'],
    [{ message: 'm', code: '529' }, 'engine_overloaded'],
    [{ message: 'm', code: 500 }, 'upstream_failed'],
    [{ message: 'm', code: 'context_length_exceeded' }, 'context_length_exceeded'],
    ['m', 'upstream_failed'],
    [null, 'upstream_failed'],
  ])('%o is %s', (error, code) => {
    expect(classifyStreamError(error)).toMatchObject({ code });
  });
});

describe('a broken connection', () => {
  it.each([
    ['ECONNREFUSED', 'model_unavailable'],
    ['ENOTFOUND', 'model_unavailable'],
    ['UND_ERR_CONNECT_TIMEOUT', 'model_unavailable'],
    ['ECONNRESET', 'upstream_failed'],
    ['UND_ERR_SOCKET', 'upstream_failed'],
  ])('%s is %s, and its address stays in the log', (systemCode, code) => {
    const error = classifyTransport(failure(systemCode));
    expect(error).toMatchObject({ code, internal: `${systemCode}: secret 10.0.0.7` });
    expect(error.message).not.toContain('10.0.0.7');
  });
});
