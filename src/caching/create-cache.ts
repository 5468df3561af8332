/** The beginning of an object: counted, admitted, its price held. It is computed in the background. */
import type { Caller } from '../chat/types.ts';
import { requireModel, type ServedModel } from '../engines/registry.ts';
import { ApiError } from '../errors.ts';
import { statement } from '../store/store.ts';
import { creationHoldId } from './cache-money.ts';
import { insertRow, type NewRow } from './cache-rows.ts';
import { countPrefix } from './compute-prefix.ts';
import { lifeSecondsDefault, type NewCache, wholeSecond } from './context-cache.ts';
import type { ContextCachesOptions } from './context-caches.ts';
import { limitCreation, type OnRateLimits } from './limit-creation.ts';

export interface CacheCreation {
  readonly caller: Caller;
  readonly cache: NewCache;
  readonly signal: AbortSignal;
  readonly onRateLimits?: OnRateLimits | undefined;
}

/** Resolves to the object's id. Throws as `ContextCaches.create`. */
export async function createCache(
  options: ContextCachesOptions,
  { caller, cache, signal, onRateLimits }: CacheCreation,
): Promise<string> {
  const { now, money, worker, cachesMax } = options;
  const { accountId, keyId } = caller;
  const model = requireModel(options.models, cache.modelId);
  const id = `cache-${options.ids.next()}`;
  await limitCreation(options, { caller, inferenceId: id, onState: onRateLimits }, async (take) => {
    await refuseTooMany(options, accountId);
    const context = { accountId, inferenceId: id, signal };
    const tokens = await countPrefix(model.engine, options.decodePrefix(cache), context);
    await take(tokens);
    const createdAt = now();
    const expiresAt = cache.expiresAt ?? wholeSecond(createdAt) + lifeSecondsDefault * 1_000;
    const life = { id, accountId, keyId, modelId: model.id, life: 1, tokens, expiresAt };
    const row = { ...newRowOf(cache, life), created_at: createdAt, backing: backingOf(model) } as const;
    const isMade = await money.reserveCreation(life, [
      insertRow(row, cachesMax),
      ...cache.tags.map((tag) => pointTag(accountId, { tag, cacheId: id, at: createdAt })),
    ]);
    if (!isMade) throw tooManyCaches(cachesMax);
  });
  void worker.nudge();
  return id;
}

const backingOf = ({ engine }: ServedModel): NewRow['backing'] =>
  engine.prefixes === undefined ? 'resent' : 'pinned';

interface FirstLife {
  readonly id: string;
  readonly accountId: number;
  readonly keyId: number;
  readonly modelId: string;
  readonly tokens: number;
  readonly expiresAt: number;
}

function newRowOf(cache: NewCache, life: FirstLife): Omit<NewRow, 'created_at' | 'backing'> {
  return {
    id: life.id,
    account_id: life.accountId,
    key_id: life.keyId,
    model_id: life.modelId,
    messages: JSON.stringify(cache.messages),
    tools: cache.tools === undefined ? null : JSON.stringify(cache.tools),
    name: cache.name ?? null,
    description: cache.description ?? null,
    metadata: JSON.stringify(cache.metadata),
    tokens: life.tokens,
    expires_at: life.expiresAt,
    hold_id: creationHoldId(life.id, 1),
  };
}

/** Before anything is counted or held; `insertRow` asks again, for those that come together. */
async function refuseTooMany({ store, cachesMax }: ContextCachesOptions, accountId: number): Promise<void> {
  const { count } = await store.db
    .selectFrom('context_caches')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  if (Number(count) >= cachesMax) throw tooManyCaches(cachesMax);
}

const tooManyCaches = (cachesMax: number): ApiError =>
  new ApiError('invalid_request', {
    message: `Invalid request: the account has ${cachesMax} context caches, the most that it may have; delete some.`,
  });

function pointTag(accountId: number, { tag, cacheId, at }: { tag: string; cacheId: string; at: number }) {
  return statement<never>(
    `insert into context_cache_tags (account_id, tag, cache_id, created_at) values (?, ?, ?, ?)
     on conflict (account_id, tag) do update set cache_id = excluded.cache_id, created_at = excluded.created_at`,
    [accountId, tag, cacheId, at],
  );
}
