import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { seedBootstrap } from '../accounts/seed-bootstrap.ts';
import { writeAfter } from './__fixtures__/write-after.ts';
import { createManagementKeys } from './management-keys.ts';

async function openKeys(kind: (typeof storeKinds)[number]) {
  const store = await openTestStore(kind);
  const accountId = (await seedBootstrap(store))?.accountId ?? 0;
  const keys = createManagementKeys(store);
  const { key } = await keys.create(accountId, 'old');
  return { store, accountId, keys, prefix: key.prefix };
}

describe.each(storeKinds)('management keys on %s', (kind) => {
  it('stay disabled when another window gives them a name in that moment', async () => {
    const { store, accountId, keys, prefix } = await openKeys(kind);
    const disable = async () => await keys.change(accountId, prefix, { isDisabled: true });
    const late = createManagementKeys(writeAfter(store, disable));
    expect(await late.change(accountId, prefix, { name: 'new' })).toMatchObject({
      name: 'new',
      isDisabled: true,
    });
  });

  it('cannot be changed any more once they are removed', async () => {
    const { store, accountId, keys, prefix } = await openKeys(kind);
    const late = createManagementKeys(writeAfter(store, async () => await keys.remove(accountId, prefix)));
    await expect(late.change(accountId, prefix, { isDisabled: false })).rejects.toMatchObject({
      code: 'key_not_found',
    });
    expect(await keys.list(accountId)).toEqual([]);
  });
});
