/** A generation inside the child: what was asked, how far it is. Plain state, changed by `scheduler.ts` only. */
import type { CompiledGrammar } from '../../grammar/constraint.ts';
import type { ChoiceRun } from './choice-run.ts';
import type { CachedSequence } from './prefix-cache.ts';
import type { Restore } from './prefix-spill.ts';
import type { GenerationSpec } from './protocol.ts';

export interface GenerationTask {
  readonly id: number;
  readonly spec: GenerationSpec;
  readonly prompt: Int32Array;
  readonly grammar: CompiledGrammar | undefined;
}

/** A choice that is being decoded. */
export interface ActiveChoice {
  readonly generation: Generation;
  readonly run: ChoiceRun;
  readonly sequence: number;
  /** Output tokens that are in the KV cache. */
  readonly decoded: number[];
  nextToken: number;
  /** Reserved cells that it has not used. */
  unusedCells: number;
}

export interface Generation extends GenerationTask {
  /** The sequence that holds the prompt; −1 while waiting, and after the last choice took it over. */
  promptSequence: number;
  promptEntry: CachedSequence | undefined;
  /** Prompt tokens in the KV cache, reused ones included. */
  computedTokens: number;
  cachedTokens: number;
  /** Reserved cells for the prompt that it has not used. */
  unusedCells: number;
  /** How many choices may be decoded at once; the others follow one by one. */
  slots: number;
  pendingChoices: GenerationSpec['choices'][number][];
  readonly active: Set<ActiveChoice>;
  /** Kept while choices are pending. */
  promptLogits: Float32Array | undefined;
  /** Another sequence is computing this much of the prompt: wait instead of computing it twice. */
  waitsFor: { readonly source: CachedSequence; readonly length: number } | undefined;
  /** A computed beginning is being read from disk: wait for it. `tried` = it was, and nothing is read twice. */
  restore: Restore | 'tried' | undefined;
  /** The parent was told that it waits for room. */
  isQueueKnown: boolean;
  isCancelled: boolean;
}

export function createGeneration(task: GenerationTask): Generation {
  return {
    ...task,
    promptSequence: -1,
    promptEntry: undefined,
    computedTokens: 0,
    cachedTokens: 0,
    unusedCells: 0,
    slots: 0,
    pendingChoices: [...task.spec.choices],
    active: new Set(),
    promptLogits: undefined,
    waitsFor: undefined,
    restore: undefined,
    isQueueKnown: false,
    isCancelled: false,
  };
}

/** Choices in work; a prompt counts for the choices that it will become. */
export function countChoices(generations: Iterable<Generation>): number {
  let count = 0;
  for (const { active, slots } of generations) count += active.size > 0 ? active.size : slots;
  return count;
}

/** Few answers are shorter; how much longer this one gets nobody knows. */
const probableTokens = 64;

/** Tokens that are about to be computed: what is left of prompts, and the next ones of those who decode. */
export function countDueTokens(generations: Iterable<Generation>): number {
  let count = 0;
  for (const { spec, prompt, computedTokens, active } of generations) {
    count += prompt.length - computedTokens;
    for (const { decoded } of active)
      count += Math.min(probableTokens, spec.outputTokensMax - decoded.length);
  }
  return count;
}
