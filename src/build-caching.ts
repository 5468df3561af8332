import type { PriceBook } from './billing/price-book.ts';
import { createResourceBilling } from './billing/resource-billing.ts';
import { createCacheMoney } from './caching/cache-money.ts';
import { type CacheWorker, startCacheWorker } from './caching/cache-worker.ts';
import type { PrefixOnWire } from './caching/context-cache.ts';
import { type ContextCaches, createContextCaches } from './caching/context-caches.ts';
import type { ModelDirectory } from './engines/registry.ts';
import { decodePrefix } from './http/openai/decode-prefix.ts';
import type { TurnLimiter } from './limits/turn-limiter.ts';
import type { Store } from './store/store.ts';

export interface CachingOptions {
  readonly models: ModelDirectory;
  readonly prices: PriceBook;
  readonly serverId: string;
  /** Most context caches of an account. */
  readonly cachesMax: number;
  readonly ids: { next(): string };
  readonly now: () => number;
  /** Undefined = nothing is limited. */
  readonly admitTurn?: TurnLimiter['admit'];
  /** What went wrong in the background, for the log. */
  readonly onError: (error: unknown) => void;
}

export interface Caching {
  readonly caches: ContextCaches;
  readonly worker: CacheWorker;
}

/** Context caches over one store; their background work begins at once. */
export function buildCaching(store: Store, options: CachingOptions): Caching {
  const { models, prices, now } = options;
  const decode = (prefix: PrefixOnWire) => decodePrefix(prefix, models);
  const money = createCacheMoney({ billing: createResourceBilling(store, now), prices, now });
  const worker = startCacheWorker({ ...options, store, money, decodePrefix: decode });
  const caches = createContextCaches({ ...options, store, money, worker, decodePrefix: decode });
  return { caches, worker };
}
