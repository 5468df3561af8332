/** A store with two accounts and their keys, and a way to write requests as a settlement does. */
import { openTestStore, type StoreKind } from '../../../test/services/test-stores.ts';
import { createAccount } from '../../accounts/create-account.ts';
import { type ApiKey, createKey } from '../../keys/api-keys.ts';
import type { Store } from '../../store/store.ts';
import { recordUsage, type UsageRecord } from '../record-usage.ts';

export interface UsedAccount {
  readonly store: Store;
  readonly accountId: number;
  readonly strangerId: number;
  readonly first: ApiKey;
  readonly second: ApiKey;
  readonly strangers: ApiKey;
  /** Writes one request of a key, its sums included; what is not given is one of 10 + 5 tokens for 1,000 nano-dollars. */
  record(key: ApiKey, at: string, fields?: Partial<UsageRecord>): Promise<string>;
}

export const usedModel = 'moonshot/kimi-k2-turbo-preview';

export async function openUsedAccount(kind: StoreKind): Promise<UsedAccount> {
  const store = await openTestStore(kind);
  const addAccount = async (email: string): Promise<number> => {
    const account = await createAccount(store, {
      email,
      password: 'long enough',
      isAdmin: false,
      openingCreditNanoUsd: 1_000_000_000n,
    });
    return account.id;
  };
  const accountId = await addAccount('ada@example.org');
  const strangerId = await addAccount('eve@example.org');
  const addKey = async (owner: number, name: string): Promise<ApiKey> => {
    const { key } = await createKey(store, { accountId: owner, name });
    return key;
  };
  let count = 0;
  return {
    store,
    accountId,
    strangerId,
    first: await addKey(accountId, 'first'),
    second: await addKey(accountId, 'second'),
    strangers: await addKey(strangerId, 'strangers'),
    record: async (key, at, fields = {}) => {
      count += 1;
      const inferenceId = fields.inferenceId ?? `chatcmpl-${count}`;
      await store.commit(
        recordUsage({
          accountId: key.accountId,
          keyId: key.id,
          modelId: usedModel,
          priceId: null,
          origin: 'api',
          status: 'succeeded',
          errorCode: null,
          isClientLeft: false,
          inputTokens: 10,
          cachedTokens: 4,
          objectCachedTokens: 0,
          outputTokens: 5,
          webSearches: 0,
          cacheHits: 0,
          usageSource: 'engine',
          costNanoUsd: 1_000n,
          clientRequestId: null,
          timeToFirstTokenMs: 20,
          durationMs: 100,
          createdAt: Date.parse(at),
          ...fields,
          inferenceId,
        }),
      );
      await store.db
        .updateTable('api_keys')
        .set({ last_used_at: Date.parse(at) })
        .where('id', '=', key.id)
        .execute();
      return inferenceId;
    },
  };
}
