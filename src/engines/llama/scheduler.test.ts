import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPrefixFiles } from './prefix-files.ts';
import { createPrefixSpill } from './prefix-spill.ts';
import type { GenerationEvent, GenerationSpec, PublishedEvent } from './protocol.ts';
import { Scheduler } from './scheduler.ts';
import { SoloLane } from './solo-lane.ts';
import { createBookContext } from './testing/book-context.ts';
import { greedySpec } from './testing/generation-spec.ts';
import { createToyVocabulary } from './testing/toy-vocabulary.ts';
import { createTransferPace } from './transfer-pace.ts';

const contextTokens = 256;
const vocabulary = createToyVocabulary(['a', 'b', 'c', 'd']);
const end = vocabulary.id('<end>');

const choices = (count: number) => Array.from({ length: count }, (_, choice) => ({ choice, seed: choice }));
/** A prompt of `length` tokens that shares its beginning with no other number's. */
const promptOf = (number: number, length: number) =>
  Int32Array.from({ length }, (_, i) => (Math.floor(number / 4 ** (i % 8)) + i) % 4);

interface SetUp {
  readonly cells?: number;
  readonly sequencesMax?: number;
  readonly choose?: (tokens: readonly number[]) => number;
  /** Evicted prefixes go to disk. */
  readonly hasDisk?: boolean;
}

/** Everything is worth moving, however short. */
const eagerPace = { ...createTransferPace(), isWorthSaving: () => true, isWorthLoading: () => true };
const identity = { modelDigest: '0', library: 'books', kvType: 'f16', isKvUnified: true };

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'perigee-spill-'));
});
afterAll(() => rmSync(root, { recursive: true }));
const newFolder = () => mkdtempSync(path.join(root, 'test-'));

/** A scheduler over a cache that keeps books; `run` resolves with a generation's events. */
function setUp({ cells = 512, sequencesMax = 64, choose = () => 0, hasDisk = false }: SetUp = {}) {
  const files = hasDisk
    ? openPrefixFiles({ folder: newFolder(), bytesMax: 20_000, identity, contextTokens })
    : undefined;
  const context = createBookContext({ cells, vocabularySize: vocabulary.size, choose });
  const listeners = new Map<number, (event: PublishedEvent['event']) => void>();
  const fatal: unknown[] = [];
  const scheduler = new Scheduler({
    context,
    vocabulary,
    contextTokens,
    soloLane: new SoloLane({ createContext: () => context, vocabulary, contextTokens }),
    prefixCacheCells: cells / 2,
    ...(files !== undefined && {
      createSpill: (onDue: () => void) =>
        createPrefixSpill({ context, files, pace: eagerPace, onDue, onLost: () => undefined }),
    }),
    sequencesMax,
    runningMax: 8,
    publish: (events) => {
      for (const { generationId, event } of events) listeners.get(generationId)?.(event);
    },
    onFatal: (error) => {
      fatal.push(error);
      for (const listen of listeners.values()) listen({ type: 'error', reason: 'failed', detail: 'fatal' });
    },
  });
  let nextId = 1;
  const run = (prompt: Int32Array, changes: Partial<GenerationSpec> = {}, stepsUntilAbort = Infinity) => {
    const id = nextId++;
    const { promise, resolve } = Promise.withResolvers<GenerationEvent[]>();
    const events: GenerationEvent[] = [];
    listeners.set(id, (event) => {
      if (event.type !== 'queued') events.push(event);
      if (events.length >= stepsUntilAbort) scheduler.abort(id);
      const isOver = event.type === 'end' || event.type === 'error' || events.length >= stepsUntilAbort;
      if (isOver) resolve(events);
    });
    scheduler.submit({ id, spec: { ...greedySpec, ...changes }, prompt, grammar: undefined });
    return promise;
  };
  /** What is left when nothing runs any more. */
  const settle = async () => {
    while (scheduler.stats().runningSequences > 0) await new Promise(setImmediate);
    await files?.settled();
    const { kvCellsReserved, queuedGenerations } = scheduler.stats();
    return { kvCellsReserved, queuedGenerations, fatal };
  };
  return { scheduler, context, run, settle };
}

const nothingLeft = { kvCellsReserved: 0, queuedGenerations: 0, fatal: [] };

describe('the scheduler', () => {
  it('gives every reserved cell back when choices end with their first token', async () => {
    const { run, settle } = setUp({ choose: () => end });
    await run(promptOf(1, 20), { choices: choices(4), outputTokensMax: 32 });
    expect(await settle()).toEqual(nothingLeft);
  });

  it('does not evict the cached prompt that a new request is about to share', async () => {
    const { run, settle } = setUp({ sequencesMax: 5 });
    for (const number of [1, 2, 3, 4]) await run(promptOf(7 * number, 20));
    // Every sequence id is in use, and the one to give way is the oldest: the very prompt that comes again.
    const events = await run(promptOf(7, 20));
    expect(events.at(-1)).toEqual({ type: 'end', promptTokens: 20, cachedTokens: 19 });
    expect(await settle()).toEqual(nothingLeft);
  });

  it('computes a prompt anew whose only copy has to give its sequence id away', async () => {
    // Ids 1 and 2: one for the request that runs, one for the cached prompt that the next request begins with.
    const { run, settle } = setUp({ sequencesMax: 3 });
    await run(promptOf(7, 20), { outputTokensMax: 1 });
    const running = run(promptOf(14, 20), { outputTokensMax: 30 });
    const events = await run(promptOf(7, 20), { outputTokensMax: 1 });
    await running;
    expect(events.at(-1)).toEqual({ type: 'end', promptTokens: 20, cachedTokens: 0 });
    expect(await settle()).toEqual(nothingLeft);
  });

  const task = fc.record({
    prompt: fc.integer({ min: 0, max: 5 }),
    length: fc.integer({ min: 1, max: 150 }),
    choiceCount: fc.integer({ min: 1, max: 4 }),
    outputTokensMax: fc.integer({ min: 1, max: 40 }),
    tenant: fc.constantFrom('one', 'two'),
    stepsUntilAbort: fc.option(fc.integer({ min: 1, max: 12 }), { nil: Infinity }),
  });
  const workloads = fc.array(task, { minLength: 1, maxLength: 20 });
  const runAll = (changes: SetUp) =>
    fc.asyncProperty(workloads, fc.integer({ min: 2, max: 12 }), async (tasks, period) => {
      const choose = (tokens: readonly number[]) => (tokens.length % period === 0 ? end : tokens.length % 4);
      const { run, settle } = setUp({ sequencesMax: 12, choose, ...changes });
      await Promise.all(
        tasks.map(({ prompt, length, choiceCount, stepsUntilAbort, ...spec }) =>
          run(promptOf(prompt, length), { ...spec, choices: choices(choiceCount) }, stepsUntilAbort),
        ),
      );
      expect(await settle()).toEqual(nothingLeft);
    });

  it('leaves nothing behind whatever runs, ends and is aborted at once', async () => {
    await fc.assert(runAll({}), { numRuns: 150 });
  });

  it('keeps its books while prefixes move to disk and back', async () => {
    await fc.assert(runAll({ hasDisk: true }), { numRuns: 30 });
  });

  it('reads an evicted prefix back for the prompt that begins with it', async () => {
    const { run, scheduler, settle } = setUp({ hasDisk: true });
    for (const number of [1, 2, 3]) await run(promptOf(7 * number, 120));
    await expect.poll(() => scheduler.stats().storedPrefixes).toBeGreaterThan(0);
    const events = await run(promptOf(7, 120));
    expect(events.at(-1)).toEqual({ type: 'end', promptTokens: 120, cachedTokens: 119 });
    expect(scheduler.stats().restoredTokensTotal).toBeGreaterThan(100);
    expect(await settle()).toEqual(nothingLeft);
  });
});
