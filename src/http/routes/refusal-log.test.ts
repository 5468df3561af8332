/** Requests that were refused before any work, in `/v2/logs`. */
import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { verifyLedger } from '../../billing/verify-ledger.ts';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import { ApiError, type ErrorCode } from '../../errors.ts';
import { createKey } from '../../keys/api-keys.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';

const readRows = async ({ store }: PlatformApp) =>
  await store.db
    .selectFrom('usage_requests')
    .select(['inference_id', 'status', 'error_code', 'cost_nano_usd'])
    .orderBy('inference_id')
    .execute();

describe.each(storeKinds)('a refused chat completion on %s', (kind) => {
  it('is a failed row with its code, at no cost, under the id that its answer has', async () => {
    const app = await openPlatformApp(kind, { script: () => scriptText('x') });
    const limit = { retention: 'day', thresholdNanoUsd: 0n } as const;
    const { secret } = await createKey(app.store, { accountId: app.accountId, limit }, () => testNowMs);
    const refused = await app.chat({}, secret);
    expect(refused.statusCode).toBe(403);
    await expect
      .poll(async () => await readRows(app))
      .toEqual([
        {
          inference_id: refused.headers['x-inference-id'],
          status: 'failed',
          error_code: 'key_limit_reached',
          cost_nano_usd: 0n,
        },
      ]);
    app.setNow(testNowMs + 1_000);
    const logs = await app.send({ url: '/v2/logs?period=1h' }, secret);
    expect(logs.json().data).toMatchObject([
      { status: 'failed', cost: { usd: 0, credits: 0 }, inference_id: refused.headers['x-inference-id'] },
    ]);
    expect((await verifyLedger(app.store)).problems).toEqual([]);
  });

  it.each<[ErrorCode, number]>([
    ['context_length_exceeded', 400],
    ['engine_overloaded', 429],
    ['model_unavailable', 503],
  ])('is logged for %s', async (code, status) => {
    const app = await openPlatformApp(kind, { script: () => [], promptTokens: new ApiError(code) });
    expect((await app.chat()).statusCode).toBe(status);
    await expect.poll(async () => (await readRows(app)).map((row) => row.error_code)).toEqual([code]);
  });

  it('is logged once when it fails later, and not when nobody could be named', async () => {
    const app = await openPlatformApp(kind, {
      script: () => [{ type: 'fail', error: new ApiError('engine_failed') }],
    });
    await app.chat();
    await app.chat({}, 'no-such-key-0123456789-0123456789');
    await app.chat({ model: 'no/such' });
    await app.chat({ temperature: 'hot' });
    expect((await readRows(app)).map((row) => row.error_code)).toEqual(['engine_failed']);
  });

  it('fills no disk: 20 rows per key and minute', { timeout: 60_000 }, async () => {
    const app = await openPlatformApp(kind, {
      script: () => [],
      promptTokens: new ApiError('model_unavailable'),
    });
    const { secret } = await createKey(app.store, { accountId: app.accountId }, () => testNowMs);
    for (let count = 0; count < 30; count += 1) await app.chat();
    await app.chat({}, secret);
    await expect.poll(async () => (await readRows(app)).length).toBe(21);
    app.setNow(testNowMs + 60_000);
    await app.chat();
    await expect.poll(async () => (await readRows(app)).length).toBe(22);
  });
});
