import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { seedBootstrap } from '../accounts/seed-bootstrap.ts';
import { noUsage, recordUsage } from '../usage/record-usage.ts';
import { writeAfter } from './__fixtures__/write-after.ts';
import type { KeyLimit } from './api-keys.ts';
import { createKeyAdministration, type KeyChange } from './key-administration.ts';

const dayMs = 86_400_000;
// A Wednesday in the middle of a month.
const now = Date.UTC(2026, 0, 14, 12);

/** A key that has spent 3 nano-dollars yesterday and 1 today. */
async function openKey(kind: (typeof storeKinds)[number], limit: KeyLimit | null) {
  const store = await openTestStore(kind);
  const accountId = (await seedBootstrap(store))?.accountId ?? 0;
  const keys = createKeyAdministration(store, () => now);
  const { key } = await keys.create(accountId, { name: null, scopes: null, limit });
  const spend = async (costNanoUsd: bigint, createdAt: number) =>
    await store.commit(
      recordUsage({
        ...noUsage,
        inferenceId: `chatcmpl-${createdAt}`,
        accountId,
        keyId: key.id,
        modelId: 'm',
        priceId: null,
        origin: 'api',
        status: 'succeeded',
        errorCode: null,
        isClientLeft: false,
        costNanoUsd,
        clientRequestId: null,
        timeToFirstTokenMs: null,
        durationMs: 1,
        createdAt,
      }),
    );
  await spend(3n, now - dayMs);
  await spend(1n, now);
  const change = async (next: KeyChange) => await keys.change(accountId, key.prefix, next);
  return {
    change,
    /** A change that has read the key before `earlier` was written, and is written after it. */
    changeLate: async (next: KeyChange, earlier: KeyChange) => {
      const late = createKeyAdministration(
        writeAfter(store, async () => await change(earlier)),
        () => now,
      );
      return await late.change(accountId, key.prefix, next);
    },
  };
}

const dayLimit = { retention: 'day', thresholdNanoUsd: 10n } as const;

describe.each(storeKinds)('the limit of a key on %s', (kind) => {
  it.each([
    ['threshold, and the period', { thresholdNanoUsd: 20n }, { retention: 'month' }],
    ['period, and the threshold', { retention: 'month' }, { thresholdNanoUsd: 20n }],
  ] as const)('keeps what two changes at once say: the %s', async (_, limit, earlier) => {
    const key = await openKey(kind, dayLimit);
    expect(await key.changeLate({ limit }, { limit: earlier })).toMatchObject({
      limit: { retention: 'month', thresholdNanoUsd: 20n },
      limitSpentNanoUsd: 4n,
    });
  });

  it('counts its whole period when another change had set a shorter one in that moment', async () => {
    const month = { retention: 'month', thresholdNanoUsd: 10n } as const;
    const key = await openKey(kind, null);
    expect(await key.change({ limit: month })).toMatchObject({ limitSpentNanoUsd: 4n });
    expect(await key.changeLate({ limit: month }, { limit: dayLimit })).toMatchObject({
      limit: month,
      limitSpentNanoUsd: 4n,
    });
  });

  it('that another change took away in that moment cannot be changed by half', async () => {
    const key = await openKey(kind, dayLimit);
    const refused = key.changeLate({ limit: { retention: 'month' } }, { limit: null });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', param: 'limit.threshold' });
    const { limit, limitSpentNanoUsd } = await key.change({ limit: { thresholdNanoUsd: 7n } });
    expect({ limit, limitSpentNanoUsd }).toEqual({
      limit: { retention: 'no_reset', thresholdNanoUsd: 7n },
      limitSpentNanoUsd: 4n,
    });
  });
});
