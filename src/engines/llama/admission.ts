/** Which waiting generation may start: first come, first served, by free cells; equal prompts are computed once. */
import { createGeneration, type Generation, type GenerationTask } from './generation.ts';
import type { KvPool } from './kv-pool.ts';
import type { PrefixSpill } from './prefix-spill.ts';

export interface AdmissionOptions {
  readonly pool: KvPool;
  /** Computed beginnings on disk; absent = none are kept there. */
  readonly spill?: PrefixSpill | undefined;
  /** Choices and prompts that are worked on at once. */
  readonly runningMax: number;
  /** Told once per generation that has to wait for room. */
  readonly onQueued: (generation: Generation) => void;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #waiting: Generation[] = [];
  /** False = everybody was looked at and nothing has been freed since. */
  #isDue = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** True when `admit` could start somebody. */
  get isDue(): boolean {
    return this.#isDue && this.#waiting.length > 0;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  add(task: GenerationTask): void {
    this.#waiting.push(createGeneration(task));
    this.#isDue = true;
  }

  drop(generationId: number): void {
    const index = this.#waiting.findIndex((generation) => generation.id === generationId);
    if (index >= 0) this.#waiting.splice(index, 1);
    this.#isDue = true;
  }

  /** Cells or a place have become free. */
  notifyFreed(): void {
    this.#isDue = true;
  }

  /**
   * Gives sequences and cells to those who can start, and returns them.
   * @param runningCount choices and prompts in work
   */
  admit(runningCount: number): Generation[] {
    const started: Generation[] = [];
    let isBlocked = !this.#isDue;
    let running = runningCount;
    this.#isDue = false;
    for (const generation of [...this.#waiting]) {
      if (typeof generation.restore === 'object') {
        if (generation.restore.isIntact === undefined) continue;
        this.#options.spill?.load(generation.restore, this.#options.pool);
        generation.restore = 'tried';
      } else if (generation.waitsFor !== undefined) {
        const { source, length } = generation.waitsFor;
        if (source.isRunning && source.computedTokens < length) continue;
        generation.waitsFor = undefined;
      } else if (isBlocked) {
        this.#tellQueued(generation);
        continue;
      }
      const outcome = this.#tryStart(generation, this.#options.runningMax - running);
      if (outcome === 'started') {
        running += generation.slots;
        started.push(generation);
        this.#waiting.splice(this.#waiting.indexOf(generation), 1);
      } else if (outcome === 'no-room') {
        // Whoever does not fit yet is not overtaken, except by those whose blocks have just been computed.
        isBlocked = true;
        this.#tellQueued(generation);
      }
    }
    return started;
  }

  #tellQueued(generation: Generation): void {
    if (generation.isQueueKnown) return;
    generation.isQueueKnown = true;
    this.#options.onQueued(generation);
  }

  #tryStart(generation: Generation, freePlaces: number): 'started' | 'no-room' | 'deferred' {
    if (freePlaces <= 0) return 'no-room';
    const { spec, prompt } = generation;
    const { pool } = this.#options;
    const { ready, pending } = pool.cache.find(spec.tenant, prompt);
    if (pending !== undefined) {
      generation.waitsFor = pending;
      return 'deferred';
    }
    if (generation.restore === undefined) {
      generation.restore = this.#options.spill?.seek(spec.tenant, prompt, ready?.length ?? 0);
      if (generation.restore !== undefined) return 'deferred';
    }
    // Taking a sequence may evict the oldest entry, which must not be the one that is about to be shared.
    if (ready !== undefined) pool.cache.touch(ready.source);
    const sequence = pool.takeSequence();
    // Where it was the only idle one it gave way all the same, and this is its place: nothing is left to share.
    const shared = ready?.source.sequence === sequence ? undefined : ready;
    // The last token is always computed: its logits are the first thing needed.
    const reused = Math.min(shared?.length ?? 0, prompt.length - 1);
    if (shared !== undefined && reused > 0) pool.copy(shared.source.sequence, sequence, reused);
    const promptCells = prompt.length - reused;
    let slots = Math.min(spec.choices.length, freePlaces);
    while (slots > 0 && !pool.reserve(promptCells + slots * spec.outputTokensMax)) slots -= 1;
    if (slots === 0) {
      pool.drop(sequence);
      return 'no-room';
    }
    generation.promptSequence = sequence;
    generation.promptEntry = pool.cache.add(spec.tenant, sequence, prompt);
    generation.promptEntry.computedTokens = reused;
    generation.computedTokens = reused;
    generation.cachedTokens = reused;
    generation.unusedCells = promptCells + slots * spec.outputTokensMax;
    generation.slots = slots;
    return 'started';
  }
}
