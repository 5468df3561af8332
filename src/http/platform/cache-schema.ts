/** Context caches and their tags on the wire (protocol sheet 3.1). */
import { z } from 'zod';
import {
  type CacheTag,
  type ContextCache,
  lifeSecondsMax,
  type NewCache,
  wholeSecond,
} from '../../caching/context-cache.ts';
import type { CacheSavings } from '../../caching/read-savings.ts';
import type { JsonValue } from '../../chat/types.ts';
import { isDeeper } from '../app/is-deeper.ts';
import { invalidField } from '../openai/describe-issue.ts';

const metadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, 'must have at most 16 pairs')
  .nullish()
  .describe('Up to 16 pairs of your own; keys of at most 64 characters, values of at most 512.');
const ttl = z
  .int()
  .min(1)
  .max(lifeSecondsMax)
  .nullish()
  .describe('Seconds to live, from now. Give this or `expired_at`; without either: a day.');
const expiredAt = z.int().min(0).nullish().describe('Unix time of its end, at most 30 days from now.');
const tag = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,64}$/)
  .describe('1 to 64 of A-Z, a-z, 0-9 and `._:-`.');

/** More than any schema of a tool may have. */
const depthMax = 200;
const keptAsSent = z
  .array(z.unknown())
  .refine((items) => !isDeeper(items, depthMax), `is nested more than ${depthMax} levels deep`);

export const newCacheSchema = z
  .object({
    model: z.string().min(1).describe('The served model whose requests will begin so.'),
    messages: keptAsSent.min(1).describe('As in a chat completion; `partial` is not allowed.'),
    tools: keptAsSent.nullish().describe('As in a chat completion, functions only.'),
    name: z.string().max(256).nullish().describe('For people.'),
    description: z.string().max(512).nullish().describe('For people.'),
    metadata,
    ttl,
    expired_at: expiredAt,
    tags: z.array(tag).max(16).nullish().describe('Tags that will point to it, wherever they point now.'),
  })
  .meta({ id: 'NewContextCache' });

export const cacheChangeSchema = z
  .object({ metadata, ttl, expired_at: expiredAt })
  .describe('What is left out stays as it is.')
  .meta({ id: 'ContextCacheChange' });

export const cacheParamsSchema = z.object({ id: z.string().describe('The id of the context cache.') });
export const tagParamsSchema = z.object({ tag: z.string().describe('The tag.') });

const cacheSchema = z
  .object({
    id: z.string().describe('`cache-` and 24 hexadecimal digits.'),
    object: z.literal('context-cache').describe('Always `context-cache`.'),
    status: z
      .enum(['pending', 'ready', 'error', 'inactive'])
      .describe('`pending` while it is computed; `inactive` after its end.'),
    created_at: z.int().describe('Unix time.'),
    expired_at: z.int().describe('Unix time of its end.'),
    tokens: z.int().describe('What it spares each prompt, and what storage is charged by.'),
    model: z.string().describe('The served model.'),
    messages: z.array(z.unknown()).describe('As they were sent.'),
    tools: z.array(z.unknown()).nullable().describe('As they were sent; null = none.'),
    name: z.string().nullable().describe('For people.'),
    description: z.string().nullable().describe('For people.'),
    metadata: z.record(z.string(), z.string()).describe('Your own pairs.'),
    backing: z
      .enum(['pinned', 'resent'])
      .describe(
        '`pinned`: the computed state is kept, on disk too. `resent`: the upstream server is sent the same beginning again, and keeps what it keeps.',
      ),
    error: z
      .object({
        type: z.string().describe('As in error answers.'),
        message: z.string().describe('What is wrong.'),
      })
      .optional()
      .describe('Only with status `error`.'),
  })
  .meta({ id: 'ContextCache' });
export const cacheAnswerSchema = cacheSchema;

export const cacheListSchema = z.object({
  object: z.literal('list').describe('Always `list`.'),
  data: z.array(cacheSchema).describe('The page.'),
  has_more: z.boolean().describe('Whether there is more behind this page.'),
  savings: z
    .object({
      prompt_tokens: z.int().describe('Of all the account’s requests.'),
      cached_tokens: z.int().describe('Those of them that were not computed again.'),
      hit_ratio: z.number().describe('The second over the first; 0 without any.'),
      cache_hits: z.int().describe('Uses of context caches.'),
    })
    .describe('What caching has saved the account.'),
});

export const deletedCacheSchema = z.object({
  deleted: z.literal(true).describe('Always true.'),
  id: z.string().describe('The id of the deleted context cache.'),
  object: z.literal('context_cache_object.deleted').describe('Always `context_cache_object.deleted`.'),
});

export const newTagSchema = z
  .object({ tag, cache_id: z.string().min(1).describe('The context cache that it points to from now on.') })
  .meta({ id: 'NewContextCacheTag' });

const tagSchema = z
  .object({
    tag: z.string().describe('The tag.'),
    cache_id: z.string().describe('The context cache that it points to.'),
    object: z.literal('context_cache_object.tag').describe('Always `context_cache_object.tag`.'),
    owned_by: z.string().describe('The account’s number.'),
    created_at: z.int().describe('Unix time since when it points there.'),
  })
  .meta({ id: 'ContextCacheTag' });
export const tagAnswerSchema = tagSchema;
export const tagListSchema = z.object({
  object: z.literal('list').describe('Always `list`.'),
  data: z.array(tagSchema).describe('The page.'),
  has_more: z.boolean().describe('Whether there is more behind this page.'),
});
export const deletedTagSchema = z.object({
  deleted: z.literal(true).describe('Always true.'),
  object: z
    .literal('context_cache_object.tag.deleted')
    .describe('Always `context_cache_object.tag.deleted`.'),
  tag: z.string().describe('The deleted tag.'),
});

export const pageQuerySchema = z.object({
  limit: z.int().min(1).max(100).default(20).describe('Items per page.'),
  order: z.enum(['asc', 'desc']).default('desc').describe('By age: the newest first is `desc`.'),
  after: z.string().optional().describe('Begin behind this id (or tag).'),
  before: z.string().optional().describe('End before this id (or tag).'),
});
export const cacheQuerySchema = pageQuerySchema.extend({
  metadata: z.record(z.string(), z.string()).optional().describe('Only those with all of these pairs.'),
});

/** `modelId` is the canonical id of `wire.model`. */
export function decodeNewCache(
  wire: z.output<typeof newCacheSchema>,
  modelId: string,
  nowMs: number,
): NewCache {
  return {
    modelId,
    // Parsed from JSON, so they are JSON.
    messages: wire.messages as readonly JsonValue[],
    tools: wire.tools == null || wire.tools.length === 0 ? undefined : (wire.tools as readonly JsonValue[]),
    name: wire.name ?? undefined,
    description: wire.description ?? undefined,
    metadata: wire.metadata ?? {},
    expiresAt: decodeEnd(wire, nowMs),
    tags: wire.tags ?? [],
  };
}

/** Milliseconds; undefined when nothing is said. Throws ApiError `invalid_request`. */
export function decodeEnd(
  wire: Pick<z.output<typeof cacheChangeSchema>, 'ttl' | 'expired_at'>,
  nowMs: number,
): number | undefined {
  if (wire.ttl != null && wire.expired_at != null) {
    throw invalidField('expired_at', 'give either `ttl` or `expired_at`, not both');
  }
  if (wire.ttl != null) return wholeSecond(nowMs) + wire.ttl * 1_000;
  if (wire.expired_at == null) return undefined;
  const expiresAt = wire.expired_at * 1_000;
  if (expiresAt <= nowMs) throw invalidField('expired_at', 'must be in the future, in seconds since 1970');
  if (expiresAt > nowMs + lifeSecondsMax * 1_000)
    throw invalidField('expired_at', 'must be at most 30 days from now');
  return expiresAt;
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);

export function encodeCache(cache: ContextCache): z.input<typeof cacheSchema> {
  return {
    id: cache.id,
    object: 'context-cache',
    status: cache.status,
    created_at: seconds(cache.createdAt),
    expired_at: seconds(cache.expiresAt),
    tokens: cache.tokens,
    model: cache.modelId,
    messages: [...cache.messages],
    tools: cache.tools === undefined ? null : [...cache.tools],
    name: cache.name ?? null,
    description: cache.description ?? null,
    metadata: { ...cache.metadata },
    backing: cache.backing,
    ...(cache.error !== undefined && { error: { ...cache.error } }),
  };
}

export function encodeSavings(savings: CacheSavings): z.input<typeof cacheListSchema>['savings'] {
  const { promptTokens, cachedTokens, cacheHits } = savings;
  return {
    prompt_tokens: promptTokens,
    cached_tokens: cachedTokens,
    hit_ratio: promptTokens === 0 ? 0 : cachedTokens / promptTokens,
    cache_hits: cacheHits,
  };
}

export function encodeTag(tag: CacheTag): z.input<typeof tagSchema> {
  return {
    tag: tag.tag,
    cache_id: tag.cacheId,
    object: 'context_cache_object.tag',
    owned_by: String(tag.accountId),
    created_at: seconds(tag.createdAt),
  };
}
