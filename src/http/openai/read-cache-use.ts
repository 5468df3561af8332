/** How a request names the context cache that it begins with (protocol sheet 3.1): a first message, or headers. */
import type { IncomingHttpHeaders } from 'node:http';
import { lifeSecondsMax } from '../../caching/context-cache.ts';
import type { CacheUse } from '../../caching/context-caches.ts';
import { ApiError } from '../../errors.ts';
import { invalidField } from './describe-issue.ts';

export interface CacheReference {
  readonly object: CacheUse['object'];
  readonly resetTtlSeconds: number | undefined;
  readonly isDryRun: boolean;
  /** `message`: the cached messages and tools are put in its place. `headers`: the request repeats them. */
  readonly way: 'message' | 'headers';
}

const contentParam = 'messages[0].content';
const headerName = 'x-msh-context-cache';

/** Undefined when no cache is named. Throws ApiError `invalid_request`. */
export function readCacheUse(body: unknown, headers: IncomingHttpHeaders): CacheReference | undefined {
  const content = readCacheMessage(body);
  if (content !== undefined) return readContent(content);
  const id = headers[headerName];
  if (typeof id !== 'string' || id === '') return undefined;
  const ttl = headers[`${headerName}-reset-ttl`];
  return {
    object: { id },
    resetTtlSeconds: typeof ttl === 'string' ? readTtl(ttl, `${headerName}-reset-ttl`) : undefined,
    isDryRun: ['1', 'true'].includes(String(headers[`${headerName}-dryrun`])),
    way: 'headers',
  };
}

/** The content of a first message of role `cache`; undefined when there is none. */
function readCacheMessage(body: unknown): string | undefined {
  const wire = asRecord(body);
  if (!Array.isArray(wire?.messages)) return undefined;
  const positions = wire.messages.flatMap((message, index) =>
    asRecord(message)?.role === 'cache' ? [index] : [],
  );
  const misplaced = positions.find((index) => index !== 0);
  if (misplaced !== undefined) {
    throw invalidField(`messages[${misplaced}].role`, 'a message of role `cache` must be the first');
  }
  if (positions.length === 0) return undefined;
  if (wire.tools != null) {
    throw invalidField('tools', 'must be null beside a message of role `cache`: the cached tools are used');
  }
  const content = asRecord(wire.messages[0])?.content;
  if (typeof content === 'string' && content !== '') return content;
  throw invalidField(contentParam, 'expected text such as `cache_id=cache-…;reset_ttl=3600`');
}

function readContent(content: string): CacheReference {
  if (content.includes('\0')) throw invalidField(contentParam, 'must not contain the character U+0000');
  const values = new Map<string, string>();
  for (const part of content.split(';')) {
    const [key = '', ...rest] = part.split('=');
    const isKnown = ['cache_id', 'tag', 'reset_ttl', 'dry_run'].includes(key.trim());
    if (!isKnown || rest.length === 0 || values.has(key.trim())) {
      throw invalidField(
        contentParam,
        'expected `cache_id=…` or `tag=…`, then `reset_ttl=…` and `dry_run=1`, joined by `;` without one at the end',
      );
    }
    values.set(key.trim(), rest.join('=').trim());
  }
  const id = values.get('cache_id');
  const tag = values.get('tag');
  if ((id === undefined) === (tag === undefined)) {
    throw invalidField(contentParam, 'expected either `cache_id=…` or `tag=…`');
  }
  const ttl = values.get('reset_ttl');
  const dryRun = values.get('dry_run') ?? '0';
  if (dryRun !== '0' && dryRun !== '1') throw invalidField(contentParam, 'dry_run must be 0 or 1');
  return {
    object: id === undefined ? { tag: tag ?? '' } : { id },
    resetTtlSeconds: ttl === undefined ? undefined : readTtl(ttl, contentParam),
    isDryRun: dryRun === '1',
    way: 'message',
  };
}

function readTtl(text: string, param: string): number {
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= lifeSecondsMax) return seconds;
  throw new ApiError('invalid_request', {
    message: `Invalid request: ${param}: reset_ttl must be a number of seconds from 1 to ${lifeSecondsMax}`,
    param,
  });
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  // Any object can be asked for its fields.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
