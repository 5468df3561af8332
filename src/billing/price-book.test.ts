import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { createPriceAdministration } from './price-administration.ts';
import { freePrices } from './price-book.ts';

describe.each(storeKinds)('prices on %s', (kind) => {
  it('get a version each when administrators set them in the same moment', async () => {
    const administration = createPriceAdministration(await openTestStore(kind), () => 1);
    const outputs = [1n, 2n, 3n, 4n, 5n, 6n];
    await Promise.all(
      outputs.map((outputNanoUsd) => administration.set('acme/model', { ...freePrices, outputNanoUsd })),
    );
    const versions = (await administration.list()).filter(({ modelId }) => modelId === 'acme/model');
    expect(versions.map(({ version }) => version)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(versions.map(({ outputNanoUsd }) => outputNanoUsd).toSorted()).toEqual(outputs);
  });
});
