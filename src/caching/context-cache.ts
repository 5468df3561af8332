/**
 * Context-cache objects: beginnings of prompts that their owner stores and pays for, so that every request that
 * begins so is quick and cheap (docs/caching.md). Here live the objects, their tags, their life and their money; what
 * is computed and pinned is the engines' affair, the wire is `http/`'s.
 */
import type { JsonValue } from '../chat/types.ts';
import type { CacheStatus } from '../store/tables.ts';

/** `pinned`: the computed state is kept, on disk too. `resent`: the engine is only sent the same beginning again. */
export type CacheBacking = 'pinned' | 'resent';

export interface CacheOwner {
  readonly accountId: number;
  /** Whose limit the charges count against. */
  readonly keyId: number;
}

export interface ContextCache extends CacheOwner {
  readonly id: string;
  readonly modelId: string;
  /** As of now: one that is past its time is `inactive`, settled or not. */
  readonly status: CacheStatus;
  /** As they came over the wire. */
  readonly messages: readonly JsonValue[];
  readonly tools: readonly JsonValue[] | undefined;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** What prompts that begin so have in common. */
  readonly tokens: number;
  readonly backing: CacheBacking;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Only with status `error`. */
  readonly error: { readonly type: string; readonly message: string } | undefined;
}

/** What prompts begin with. */
export interface PrefixOnWire {
  readonly modelId: string;
  readonly messages: readonly JsonValue[];
  readonly tools: readonly JsonValue[] | undefined;
}

export interface NewCache {
  readonly modelId: string;
  readonly messages: readonly JsonValue[];
  readonly tools: readonly JsonValue[] | undefined;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds; undefined = a day from now. */
  readonly expiresAt: number | undefined;
  readonly tags: readonly string[];
}

/** What stays undefined stays as it is. */
export interface CacheChange {
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly expiresAt?: number | undefined;
}

export interface PageOptions {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  /** Ids (or tags) that the page begins after and ends before. */
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
}

export interface CacheTag {
  readonly tag: string;
  readonly cacheId: string;
  readonly accountId: number;
  readonly createdAt: number;
}

/** Longest life, from the moment it is asked for. */
export const lifeSecondsMax = 30 * 86_400;
export const lifeSecondsDefault = 86_400;

/** Money and expiry are counted in whole seconds. */
export const wholeSecond = (ms: number): number => Math.floor(ms / 1_000) * 1_000;
