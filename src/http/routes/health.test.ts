import { describe, expect, it } from 'vitest';
import { createTestApp } from '../__fixtures__/create-test-app.ts';

describe('GET /health', () => {
  it('200: the process is alive, ready or not', async () => {
    const readiness = () => ({ isReady: false, checks: [] });
    const answer = await createTestApp({ overrides: { readiness } }).app.inject({ url: '/health' });
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'ok', version: '0.0.0' }]);
  });
});

describe('GET /ready', () => {
  it('200: everything is there', async () => {
    const answer = await createTestApp().app.inject({ url: '/ready' });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { status: 'ready', checks: [{ name: 'store', state: 'ready', detail: '' }] },
    ]);
  });

  it('503: says what is missing', async () => {
    const check = {
      name: 'model',
      state: 'failed',
      detail: 'The file is missing; run `perigee models pull`.',
    };
    const readiness = () => ({ isReady: false, checks: [check] });
    const answer = await createTestApp({ overrides: { readiness } }).app.inject({ url: '/ready' });
    expect([answer.statusCode, answer.json()]).toEqual([503, { status: 'not_ready', checks: [check] }]);
  });
});
