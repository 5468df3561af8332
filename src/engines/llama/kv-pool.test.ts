import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createKvPool } from './kv-pool.ts';
import { createBookContext } from './testing/book-context.ts';

/** A pool whose idle sequences can be had back when they have at least `savedMin` tokens. */
function setUp(savedMin: number) {
  const context = createBookContext({ cells: 20_000, vocabularySize: 4, choose: () => 0 });
  const evicted: number[] = [];
  const pool = createKvPool({
    context,
    sequencesMax: 16,
    prefixCacheCells: 20_000,
    spill: {
      keep: ({ tokens }) => void evicted.push(tokens.length),
      isKept: (tokens) => tokens >= savedMin,
      // As `prefix-spill.ts` has it: the first file has nearly all of those that begin alike.
      tokensToWrite: ([first]) => first?.tokens.length ?? 0,
    },
  });
  const run = async (sequence: number, start: number, tokens: Int32Array): Promise<void> => {
    pool.reserve(tokens.length);
    await context.decode(
      Array.from(tokens, (token, index) => ({
        token,
        position: start + index,
        sequence,
        needsLogits: false,
      })),
    );
    pool.append(sequence, tokens.length);
  };
  /** Computes a sequence that then rests; `first` makes it differ from others. */
  const rest = async (first: number, length: number, willBePinned = false): Promise<void> => {
    const tokens = Int32Array.from({ length }, (_, index) => (index === 0 ? first : 0));
    const sequence = pool.takeSequence();
    await run(sequence, 0, tokens);
    pool.retain({ tenant: 'tenant', sequence, tokens, willBePinned });
  };
  /** Computes tokens of a sequence that goes on running. */
  const compute = async (length: number): Promise<void> => {
    await run(pool.takeSequence(), 0, new Int32Array(length));
    pool.evictResting(0);
  };
  return { pool, evicted, rest, compute, run };
}

describe('sequences at rest', () => {
  it('leave soon after others compute when they can be read back', async () => {
    const { evicted, rest, compute } = setUp(256);
    await rest(1, 300);
    await compute(60);
    expect(evicted).toEqual([]);
    await compute(40);
    expect(evicted).toEqual([300]);
  });

  it('leave at once when a long prompt of others is about to be computed', async () => {
    const { pool, evicted, rest } = setUp(256);
    await rest(1, 300);
    pool.evictResting(50);
    expect(evicted).toEqual([]);
    pool.evictResting(700);
    expect(evicted).toEqual([300]);
  });

  it('wait to be pinned, however long the prompts of others are, until as much has been computed', async () => {
    const { pool, evicted, rest, compute } = setUp(256);
    await rest(1, 300, true);
    pool.evictResting(7_000);
    expect(evicted).toEqual([]);
    await compute(100);
    expect(evicted).toEqual([300]);
  });

  it('stay long when they would have to be computed anew', async () => {
    const { evicted, rest, compute } = setUp(256);
    await rest(1, 200);
    await compute(4_000);
    expect(evicted).toEqual([]);
    await compute(200);
    expect(evicted).toEqual([200]);
  });

  it('leave few at a time when that takes long, so that no stream waits for them all', async () => {
    const { pool, evicted, rest, compute } = setUp(256);
    onTestFinished(() => void vi.restoreAllMocks());
    vi.spyOn(performance, 'now').mockImplementation(() => evicted.length * 20);
    for (const first of [1, 2, 3, 4, 5]) await rest(first, 300);
    await compute(1_100);
    expect(evicted).toHaveLength(2);
    pool.evictResting(0);
    expect(evicted).toHaveLength(4);
    pool.evictResting(0);
    expect(evicted).toHaveLength(5);
  });

  it('stay while a running sequence shares nearly all of their cells', async () => {
    const { pool, evicted, rest, run } = setUp(256);
    await rest(1, 300);
    const source = pool.cache.oldestIdle();
    const running = pool.takeSequence();
    pool.copy(source?.sequence ?? -1, running, 299);
    await run(running, 299, new Int32Array(4_000));
    pool.evictResting(0);
    expect(evicted).toEqual([]);
  });

  it('leave together with those that share their cells, for what it costs to write them once', async () => {
    const { pool, evicted, rest, run, compute } = setUp(256);
    await rest(1, 2_000);
    const source = pool.cache.oldestIdle();
    const branch = async (last: number): Promise<void> => {
      const sequence = pool.takeSequence();
      pool.copy(source?.sequence ?? -1, sequence, 1_980);
      const tail = Int32Array.of(last, ...new Int32Array(19));
      await run(sequence, 1_980, tail);
      const tokens = Int32Array.of(1, ...new Int32Array(1_979), ...tail);
      pool.retain({ tenant: 'tenant', sequence, tokens });
    };
    for (const last of [1, 2, 3]) await branch(last);
    await compute(60);
    expect(evicted).toEqual([]);
    await compute(40);
    expect(evicted).toEqual([2_000, 2_000, 2_000, 2_000]);
  });

  it('are not counted as disturbed by what is read back from disk', async () => {
    const { pool, evicted, rest } = setUp(256);
    await rest(1, 300);
    expect(
      pool.restore(
        'tenant',
        Int32Array.from({ length: 2_000 }, () => 2),
        () => true,
      ),
    ).toBe('loaded');
    pool.evictResting(0);
    expect(evicted).toEqual([]);
  });
});
