import { describe, expect, it } from 'vitest';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp } from '../__fixtures__/open-platform-app.ts';
import { testModelId } from '../__fixtures__/wire.ts';

describe('GET /models/metrics', () => {
  it('200: measures what was answered in the last five minutes, without a key', async () => {
    let isBroken = true;
    const app = await openPlatformApp('sqlite', {
      script: () =>
        isBroken ? [{ type: 'fail', error: new ApiError('engine_failed') }] : scriptText('x', 'y', 'z'),
    });
    await app.chat();
    const ask = async (query = '') => (await app.app.inject({ url: `/models/metrics${query}` })).json();
    expect(await ask()).toEqual({
      window_seconds: 300,
      generated_at: new Date(testNowMs).toISOString(),
      models: [],
    });
    isBroken = false;
    await app.chat();
    await app.chat({ stream: true });
    app.setNow(testNowMs + 299_000);
    const { models } = await ask();
    const percentiles = {
      p50: expect.any(Number),
      p75: expect.any(Number),
      p90: expect.any(Number),
      p99: expect.any(Number),
    };
    expect(models).toEqual([
      {
        alias: testModelId,
        endpoint: '/v1/chat/completions',
        metrics: { ttft_ms: percentiles, tps: percentiles, duration_ms: percentiles },
      },
    ]);
    expect(await ask('?aliases=kimi-k2-turbo&aliases=other')).toMatchObject({ models });
    expect(await ask(`?aliases=${testModelId}`)).toMatchObject({ models });
    expect(await ask(`?aliases=${testModelId},other`)).toMatchObject({ models: [] });
    app.setNow(testNowMs + 300_000);
    expect(await ask()).toMatchObject({ models: [] });
  });

  it('400: takes no other parameter, and at most a hundred models', async () => {
    const { app } = await openPlatformApp('sqlite');
    const many = Array.from({ length: 101 }, () => 'aliases=a').join('&');
    for (const query of ['model=a', 'aliases=a&window=60', many]) {
      const answer = await app.inject({ url: `/models/metrics?${query}` });
      expect(answer.statusCode).toBe(400);
      expect(answer.json().message).toContain('Query validation error: ');
    }
  });
});
