import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../test/services/test-stores.ts';
import { openUsedAccount, usedModel } from './__fixtures__/open-used-account.ts';
import { hoursMax, readUsageSeries } from './account-usage.ts';

describe.each(storeKinds)('the usage series of an account on %s', (kind) => {
  it('has every day of the zone, and a point per key and model that was used', async () => {
    const { store, accountId, first, second, strangers, record } = await openUsedAccount(kind);
    // 20:00 UTC is the next day in Kolkata.
    await record(first, '2026-07-20T20:00:00Z');
    await record(first, '2026-07-21T01:00:00Z', { costNanoUsd: 500n });
    await record(second, '2026-07-21T01:00:00Z', { modelId: 'other', cachedTokens: 0 });
    await record(strangers, '2026-07-21T01:00:00Z');
    const series = await readUsageSeries(store, accountId, {
      from: Date.parse('2026-07-19T18:30:00Z'),
      to: Date.parse('2026-07-22T18:30:00Z'),
      step: 'day',
      timeZone: 'Asia/Kolkata',
    });
    expect(series.steps).toEqual(['2026-07-20', '2026-07-21', '2026-07-22']);
    expect(series.points.map(({ step, modelId, keyId }) => ({ step, modelId, keyId }))).toEqual(
      expect.arrayContaining([
        { step: '2026-07-21', modelId: usedModel, keyId: first.id },
        { step: '2026-07-21', modelId: 'other', keyId: second.id },
      ]),
    );
    expect(series.points).toHaveLength(2);
    expect(series.total).toMatchObject({
      inputTokens: 30,
      cachedTokens: 8,
      costNanoUsd: 2_500n,
      succeededCount: 3,
    });
  });

  it('has hours, the first and the last cut to the window', async () => {
    const { store, accountId, first, record } = await openUsedAccount(kind);
    await record(first, '2026-07-20T09:59:59Z');
    await record(first, '2026-07-20T10:20:00Z');
    await record(first, '2026-07-20T11:10:00Z', {
      status: 'failed',
      errorCode: 'engine_failed',
      costNanoUsd: 0n,
    });
    const series = await readUsageSeries(store, accountId, {
      from: Date.parse('2026-07-20T10:05:00Z'),
      to: Date.parse('2026-07-20T11:30:00Z'),
      step: 'hour',
      timeZone: 'UTC',
    });
    expect(series.steps).toEqual(['2026-07-20T10:00:00.000Z', '2026-07-20T11:00:00.000Z']);
    expect(
      series.points.map(({ step, succeededCount, failedCount }) => [step, succeededCount, failedCount]),
    ).toEqual([
      ['2026-07-20T10:00:00.000Z', 1, 0],
      ['2026-07-20T11:00:00.000Z', 0, 1],
    ]);
  });

  it('never has more hours than one statement can ask for', async () => {
    const { store, accountId } = await openUsedAccount(kind);
    const series = await readUsageSeries(store, accountId, {
      from: Date.parse('2026-07-01T00:00:00Z'),
      to: Date.parse('2026-07-31T00:00:00Z'),
      step: 'hour',
      timeZone: 'UTC',
    });
    expect(series.steps).toHaveLength(hoursMax);
  });
});
