/**
 * Which sequence of the KV cache already holds the beginning of a prompt: a radix tree over blocks of 64 tokens,
 * one per tenant. It knows running sequences too, so that a request can wait for blocks that another one is just
 * computing. It only keeps books; the KV cache itself belongs to `scheduler.ts`.
 */

export const blockTokens = 64;

/** A sequence in the KV cache. */
export interface CachedSequence {
  readonly sequence: number;
  readonly tenant: string;
  /** Tokens that are or will be in the KV cache. */
  readonly tokens: Int32Array;
  /** How many of them are computed. */
  computedTokens: number;
  /** A generation still uses it: it may not be evicted, and may grow. */
  isRunning: boolean;
  /** Order of use, for eviction. */
  lastUse: number;
}

export interface PrefixMatch {
  readonly source: CachedSequence;
  readonly length: number;
}

export interface PrefixLookup {
  /** Longest computed beginning; undefined when none is shared. */
  readonly ready: PrefixMatch | undefined;
  /** A longer one that a running sequence has planned but not yet computed. */
  readonly pending: PrefixMatch | undefined;
}

export interface PrefixCache {
  add(tenant: string, sequence: number, tokens: Int32Array): CachedSequence;
  remove(entry: CachedSequence): void;
  find(tenant: string, tokens: Int32Array): PrefixLookup;
  /** Marks an entry as just used. */
  touch(entry: CachedSequence): void;
  /** The idle entry that was used longest ago. */
  oldestIdle(): CachedSequence | undefined;
  idleEntries(): Iterable<CachedSequence>;
  readonly size: number;
}

interface Node {
  readonly children: Map<string, Node>;
  /** Entries whose tokens go through this node. */
  readonly holders: Set<CachedSequence>;
}

export function createPrefixCache(): PrefixCache {
  const roots = new Map<string, Node>();
  const entries = new Set<CachedSequence>();
  let clock = 0;

  const touch = (entry: CachedSequence) => {
    clock += 1;
    entry.lastUse = clock;
  };

  const idleEntries = function* () {
    for (const entry of entries) if (!entry.isRunning) yield entry;
  };

  return {
    get size() {
      return entries.size;
    },
    touch,
    idleEntries,
    add(tenant, sequence, tokens) {
      const entry: CachedSequence = {
        sequence,
        tenant,
        tokens,
        computedTokens: 0,
        isRunning: true,
        lastUse: 0,
      };
      touch(entry);
      entries.add(entry);
      let node = getOrCreate(roots, tenant);
      node.holders.add(entry);
      for (const key of blockKeys(tokens)) {
        node = getOrCreate(node.children, key);
        node.holders.add(entry);
      }
      return entry;
    },
    remove(entry) {
      entries.delete(entry);
      const root = roots.get(entry.tenant);
      if (root === undefined) return;
      removeFrom(root, entry);
      if (root.holders.size === 0) roots.delete(entry.tenant);
    },
    find(tenant, tokens) {
      const path = walk(roots.get(tenant), tokens);
      return bestMatches(path, tokens);
    },
    oldestIdle() {
      let oldest: CachedSequence | undefined;
      for (const entry of idleEntries()) {
        if (oldest === undefined || entry.lastUse < oldest.lastUse) oldest = entry;
      }
      return oldest;
    },
  };
}

function getOrCreate(nodes: Map<string, Node>, key: string): Node {
  const known = nodes.get(key);
  if (known !== undefined) return known;
  const created: Node = { children: new Map(), holders: new Set() };
  nodes.set(key, created);
  return created;
}

function* blockKeys(tokens: Int32Array): Generator<string> {
  for (let start = 0; start + blockTokens <= tokens.length; start += blockTokens) {
    const bytes = Buffer.from(tokens.buffer, tokens.byteOffset + start * 4, blockTokens * 4);
    yield bytes.toString('latin1');
  }
}

function removeFrom(root: Node, entry: CachedSequence): void {
  let node = root;
  node.holders.delete(entry);
  for (const key of blockKeys(entry.tokens)) {
    const child = node.children.get(key);
    if (child === undefined) return;
    child.holders.delete(entry);
    // Whoever goes through a deeper node goes through this one, so an unused node has no used children.
    if (child.holders.size === 0) {
      node.children.delete(key);
      return;
    }
    node = child;
  }
}

/** The nodes along the prompt, deepest last; the n-th stands for n matching blocks. */
function walk(root: Node | undefined, tokens: Int32Array): Node[] {
  if (root === undefined) return [];
  const path = [root];
  let node = root;
  for (const key of blockKeys(tokens)) {
    const child = node.children.get(key);
    if (child === undefined) break;
    path.push(child);
    node = child;
  }
  return path;
}

function bestMatches(path: readonly Node[], tokens: Int32Array): PrefixLookup {
  const seen = new Set<CachedSequence>();
  let ready: PrefixMatch | undefined;
  let pending: PrefixMatch | undefined;
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const matched = depth * blockTokens;
    // Every sequence that leaves the path below here shares less than what was found.
    if (ready !== undefined && ready.length >= matched + blockTokens) break;
    for (const entry of path[depth]?.holders ?? []) {
      if (seen.has(entry)) continue;
      seen.add(entry);
      const common = commonPrefix(entry.tokens, tokens, matched);
      const length = Math.min(common, entry.computedTokens);
      if (length > (ready?.length ?? 0)) ready = { source: entry, length };
      if (entry.isRunning && common > (pending?.length ?? 0)) pending = { source: entry, length: common };
    }
  }
  const gain = (pending?.length ?? 0) - (ready?.length ?? 0);
  return { ready, pending: gain >= blockTokens ? pending : undefined };
}

/** Length of the common beginning, of which `known` tokens are already known to match. */
export function commonPrefix(a: Int32Array, b: Int32Array, known = 0): number {
  const end = Math.min(a.length, b.length);
  let length = known;
  while (length < end && a[length] === b[length]) length++;
  return length;
}
