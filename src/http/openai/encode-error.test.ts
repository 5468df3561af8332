import { describe, expect, it } from 'vitest';
import { ApiError } from '../../errors.ts';
import { encodeErrorBody, encodeErrorEvent } from './encode-error.ts';

const request = { path: '/v1/chat/completions', requestId: 'chatcmpl-1', timestampMs: 0 };

describe('an error body', () => {
  it('carries the platform’s five fields and OpenAI’s error, each in its own words', () => {
    const error = new ApiError('invalid_request', {
      message: 'Invalid request: n: must be at least 1',
      param: 'n',
    });
    expect(JSON.parse(encodeErrorBody(error, request))).toEqual({
      message: 'Body validation error: n: must be at least 1',
      path: '/v1/chat/completions',
      requestId: 'chatcmpl-1',
      statusCode: 400,
      timestamp: '1970-01-01T00:00:00.000Z',
      error: {
        message: 'Invalid request: n: must be at least 1',
        type: 'invalid_request_error',
        code: 'invalid_request',
        param: 'n',
      },
    });
  });

  it('never carries what is for the log', () => {
    const error = new ApiError('internal_error', { internal: 'secret', cause: new Error('secret') });
    expect(encodeErrorBody(error, request) + encodeErrorEvent(error)).not.toContain('secret');
  });
});
