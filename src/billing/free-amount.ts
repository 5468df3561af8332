import type { Store } from '../store/store.ts';
import { readFreeAmounts } from './hold-statements.ts';

/** What may still be reserved at a moment: by the account, and (when it has a limit) by the key. Nano-dollars. */
export async function readFreeAmount(
  store: Store,
  payer: { readonly accountId: number; readonly keyId: number },
  at: number,
): Promise<bigint> {
  // On the writer's side of the store, so that it sees the commit that was just refused.
  const result = await store.commit([readFreeAmounts(payer.accountId, payer.keyId, at)], {
    durability: 'lazy',
  });
  const row = result.isCommitted ? result.results[0]?.rows[0] : undefined;
  const account = row?.account_free_nano_usd;
  const key = row?.key_free_nano_usd;
  if (typeof account !== 'bigint') return 0n;
  return typeof key === 'bigint' && key < account ? key : account;
}
