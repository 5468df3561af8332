import type { Store } from '../store/store.ts';
import { type HoldRefusal, readFreeAmounts } from './hold-statements.ts';

export interface FreeAmount {
  readonly amountNanoUsd: bigint;
  /** Why more cannot be reserved. */
  readonly boundBy: HoldRefusal;
}

/** What may still be reserved at a moment: by the account, and (when it has a limit) by the key. */
export async function readFreeAmount(
  store: Store,
  payer: { readonly accountId: number; readonly keyId: number },
  at: number,
): Promise<FreeAmount> {
  // On the writer's side of the store, so that it sees the commit that was just refused.
  const result = await store.commit([readFreeAmounts(payer.accountId, payer.keyId, at)], {
    durability: 'lazy',
  });
  const row = result.isCommitted ? result.results[0]?.rows[0] : undefined;
  const account = row?.account_free_nano_usd;
  const key = row?.key_free_nano_usd;
  const amountNanoUsd = typeof account === 'bigint' ? account : 0n;
  return typeof key === 'bigint' && key < amountNanoUsd
    ? { amountNanoUsd: key, boundBy: 'key_limit_reached' }
    : { amountNanoUsd, boundBy: 'insufficient_balance' };
}
