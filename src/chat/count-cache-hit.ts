import type { PreparedChat } from './run-chat.ts';
import type { ChatRequest, Usage } from './types.ts';

/**
 * Says in a turn's usage which part of the reused prompt its context-cache object covers. A turn of which nothing
 * was reused (an upstream that forgot it, deterministic mode) is no hit and costs no fee.
 */
export function countCacheHit(chat: PreparedChat, cache: ChatRequest['contextCache']): PreparedChat {
  if (cache === undefined) return chat;
  const count = (usage: Usage): Usage => {
    const objectCachedTokens = Math.min(cache.tokens, usage.cachedTokens);
    if (objectCachedTokens === 0) return usage;
    const fees = { webSearches: usage.fees?.webSearches ?? 0, cacheHits: 1 };
    return { ...usage, objectCachedTokens, fees };
  };
  return {
    ...chat,
    feesMax: { webSearches: chat.feesMax?.webSearches ?? 0, cacheHits: 1 },
    usageSoFar: () => count(chat.usageSoFar()),
    async *run(outputTokensMax) {
      for await (const event of chat.run(outputTokensMax)) {
        yield event.type === 'finish' ? { ...event, usage: count(event.usage) } : event;
      }
    },
  };
}
