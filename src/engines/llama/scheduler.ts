/**
 * Continuous batching over one KV cache: every step decodes one token of each running choice and parts of the
 * prompts that are due. Native calls happen between decodes only. Pieces: `kv-pool.ts` (cells), `step-plan.ts`
 * (how much per step), `choice-run.ts` (from logits to output), `solo-lane.ts` (deterministic requests).
 */
import { Admission } from './admission.ts';
import { encodeBatch, type Part } from './batch-parts.ts';
import { createChoiceRun } from './choice-run.ts';
import {
  type ActiveChoice,
  countChoices,
  countDueTokens,
  type Generation,
  type GenerationTask,
} from './generation.ts';
import { createKvPool, type KvPool } from './kv-pool.ts';
import { batchTokensMax, type NativeContext } from './native-context.ts';
import { noSpillStats, type PrefixSpill } from './prefix-spill.ts';
import type { EngineStats, PublishedEvent } from './protocol.ts';
import type { SoloLane } from './solo-lane.ts';
import { createPrefillPace, sharePrefill } from './step-plan.ts';
import type { VocabularyView } from './vocabulary-view.ts';

export interface SchedulerOptions {
  readonly context: NativeContext;
  readonly soloLane: SoloLane;
  readonly vocabulary: VocabularyView;
  /** Longest prompt + output of one sequence. */
  readonly contextTokens: number;
  readonly prefixCacheCells: number;
  /** Where evicted prefixes go; absent = they are forgotten. `onDue`: see `PrefixSpillOptions`. */
  readonly createSpill?: ((onDue: () => void) => PrefixSpill) | undefined;
  /** Sequence ids, running and cached. */
  readonly sequencesMax: number;
  /** Choices and prompts that are worked on at once. */
  readonly runningMax: number;
  /** Called once per step with all that it led to. */
  readonly publish: (events: readonly PublishedEvent[]) => void;
  /** A failure that leaves the KV cache in doubt: the process should end. */
  readonly onFatal: (error: unknown) => void;
}

export type SchedulerStats = Omit<EngineStats, 'kvCells' | 'residentBytes' | 'heldPrompts'>;

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #pool: KvPool;
  readonly #spill: PrefixSpill | undefined;
  readonly #pace = createPrefillPace();
  readonly #admission: Admission;
  readonly #running = new Map<number, Generation>();
  #events: PublishedEvent[] = [];
  #currentParts: readonly Part[] = [];
  #isLooping = false;
  #isClosed = false;
  #decodedTokens = 0;
  #prefilledTokens = 0;
  #reusedTokens = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#spill = options.createSpill?.(() => {
      this.#admission.notifyFreed();
      this.#wake();
    });
    this.#pool = createKvPool({ ...options, spill: this.#spill });
    this.#admission = new Admission({
      pool: this.#pool,
      spill: this.#spill,
      runningMax: options.runningMax,
      onQueued: ({ id }) => this.#emit(id, { type: 'queued' }),
    });
  }

  /** Queues a generation. Everything about it, failures included, is published as events. */
  submit(task: GenerationTask): void {
    if (task.spec.isDeterministic) {
      this.#options.soloLane.submit(task, (event) => this.#emit(task.id, event));
    } else if (task.prompt.length + task.spec.outputTokensMax > this.#options.contextTokens) {
      this.#emit(task.id, {
        type: 'error',
        reason: 'failed',
        detail: `${task.prompt.length} + ${task.spec.outputTokensMax} tokens exceed the window`,
      });
    } else {
      this.#admission.add(task);
    }
    this.#wake();
  }

  /** Stops a generation without further events; unknown ids are ignored. */
  abort(generationId: number): void {
    this.#options.soloLane.abort(generationId);
    this.#admission.drop(generationId);
    const generation = this.#running.get(generationId);
    if (generation === undefined) return;
    generation.isCancelled = true;
    // The native flag drops the whole batch, so it is raised only when most of the batch is lost anyway.
    let own = 0;
    let all = 0;
    for (const part of this.#currentParts) {
      const count = part.type === 'prefill' ? part.count : 1;
      all += count;
      if (part.type === 'prefill' && part.generation === generation) own += count;
    }
    if (own * 2 > all) this.#options.context.setAbort(true);
    this.#wake();
  }

  stats(): SchedulerStats {
    const lane = this.#options.soloLane.stats();
    return {
      runningSequences: countChoices(this.#running.values()) + lane.running,
      queuedGenerations: this.#admission.waitingCount + lane.queued,
      kvCellsUsed: this.#pool.usedCells,
      kvCellsReserved: this.#pool.reservedCells,
      cachedSequences: Array.from(this.#pool.cache.idleEntries()).length,
      decodedTokensTotal: this.#decodedTokens + lane.decodedTokens,
      prefilledTokensTotal: this.#prefilledTokens + lane.prefilledTokens,
      reusedTokensTotal: this.#reusedTokens + lane.reusedTokens,
      ...(this.#spill?.stats() ?? noSpillStats),
    };
  }

  close(): void {
    this.#isClosed = true;
  }

  #wake(): void {
    if (this.#isLooping || this.#isClosed) return;
    this.#isLooping = true;
    this.#loop().catch((error: unknown) => this.#options.onFatal(error));
  }

  async #loop(): Promise<void> {
    let hasWork = true;
    while (hasWork && !this.#isClosed) {
      const didMain = await this.#step();
      // What a step led to is sent while the next one computes, unless another one comes between.
      if (!didMain || this.#options.soloLane.hasWork) this.#publish();
      const didSolo = await this.#options.soloLane.step();
      if (didSolo) this.#publish();
      hasWork = didMain || didSolo;
    }
    this.#isLooping = false;
    // Work that came in while the last step found nothing to do.
    if (this.#hasDueWork()) this.#wake();
  }

  #hasDueWork(): boolean {
    const isOwnWorkDue = this.#running.size > 0 || this.#admission.isDue || this.#spill?.isDue === true;
    return isOwnWorkDue || this.#options.soloLane.hasWork;
  }

  /** @returns false when there was nothing to decode. */
  async #step(): Promise<boolean> {
    this.#spill?.runErrands(this.#pool);
    for (const generation of [...this.#running.values()]) {
      if (generation.isCancelled) this.#remove(generation);
    }
    for (const generation of this.#admission.admit(countChoices(this.#running.values()))) {
      this.#running.set(generation.id, generation);
      this.#reusedTokens += generation.cachedTokens;
      this.#emitProgress(generation);
    }
    this.#pool.evictResting(countDueTokens(this.#running.values()));
    const parts = this.#compose();
    if (parts.length === 0) {
      if (this.#running.size > 0) throw new Error('generations run but nothing is to be decoded');
      return false;
    }
    const startedAt = performance.now();
    this.#currentParts = parts;
    const decoding = this.#options.context.decode(encodeBatch(parts));
    this.#publish();
    const result = await decoding;
    this.#currentParts = [];
    if (result === 'done') this.#commit(parts, performance.now() - startedAt);
    else if (result === 'no-cells') this.#relieve();
    return true;
  }

  /** The books say there is room, but llama.cpp found none: make room or give one generation up. */
  #relieve(): void {
    if (this.#pool.evictOldest()) return;
    const youngest = [...this.#running.values()].at(-1);
    if (youngest === undefined) throw new Error('the KV cache is full though nothing runs');
    this.#fail(youngest, 'overloaded', 'the KV cache is full');
  }

  #compose(): Part[] {
    const parts: Part[] = [];
    const prefilling: Generation[] = [];
    for (const generation of this.#running.values()) {
      for (const choice of generation.active)
        parts.push({ type: 'decode', choice, sequence: choice.sequence });
      if (generation.computedTokens < generation.prompt.length) prefilling.push(generation);
    }
    if (prefilling.length > 0) {
      const remaining = prefilling.map((generation) => generation.prompt.length - generation.computedTokens);
      const budget = this.#pace.budget({
        decodingCount: parts.length,
        prefillingCount: prefilling.length,
        remainingTokens: remaining.reduce((total, tokens) => total + tokens, 0),
        batchTokensMax,
      });
      const shares = sharePrefill(remaining, budget);
      for (const [i, generation] of prefilling.entries()) {
        const count = shares[i] ?? 0;
        if (count > 0)
          parts.push({ type: 'prefill', generation, sequence: generation.promptSequence, count });
      }
    }
    // llama.cpp splits a batch whose sequences are not in order into several smaller ones.
    return parts.sort((a, b) => a.sequence - b.sequence);
  }

  #commit(parts: readonly Part[], elapsedMs: number): void {
    let prefilled = 0;
    let decoded = 0;
    for (const part of parts) {
      if (part.type === 'prefill') {
        prefilled += part.count;
        this.#bookPrefill(part.generation, part.count);
      } else {
        decoded += 1;
        this.#bookDecode(part.choice);
      }
    }
    this.#decodedTokens += decoded;
    this.#prefilledTokens += prefilled;
    this.#pace.record(prefilled, decoded, elapsedMs);
    if (decoded === 0) this.#spill?.recordPrefill(prefilled, elapsedMs);
    this.#sample(parts);
  }

  #bookPrefill(generation: Generation, count: number): void {
    this.#pool.append(generation.promptSequence, count);
    generation.unusedCells -= count;
    generation.computedTokens += count;
    if (generation.promptEntry !== undefined)
      generation.promptEntry.computedTokens = generation.computedTokens;
  }

  #bookDecode(choice: ActiveChoice): void {
    this.#pool.append(choice.sequence, 1);
    choice.unusedCells -= 1;
    choice.decoded.push(choice.nextToken);
  }

  /** All cells are booked by now, so that a generation that fails here can be taken out at once. */
  #sample(parts: readonly Part[]): void {
    let row = 0;
    for (const part of parts) {
      if (part.type === 'decode') {
        const logits = this.#options.context.logits(row++);
        this.#guard(part.choice.generation, () => this.#advance(part.choice, logits));
        continue;
      }
      const { generation } = part;
      if (!generation.isCancelled) this.#emitProgress(generation);
      if (generation.computedTokens < generation.prompt.length) continue;
      const logits = this.#options.context.logits(row++);
      this.#guard(generation, () => this.#startChoices(generation, logits));
    }
  }

  #advance(choice: ActiveChoice, logits: Float32Array): void {
    // A sibling choice of the same step may have failed and taken the generation with it.
    if (!choice.generation.active.has(choice)) return;
    const next = choice.run.advance(logits);
    if (next === undefined) this.#finishChoice(choice);
    else choice.nextToken = next;
  }

  /** A failure while sampling concerns one generation only. */
  #guard(generation: Generation, work: () => void): void {
    if (generation.isCancelled) return;
    try {
      work();
    } catch (error) {
      this.#fail(generation, 'failed', String(error));
    }
  }

  #startChoices(generation: Generation, logits: Float32Array): void {
    const { spec } = generation;
    while (generation.pendingChoices.length > 0 && generation.active.size < generation.slots) {
      const asked = generation.pendingChoices.shift();
      if (asked === undefined) return;
      const run = createChoiceRun({
        spec,
        ...asked,
        vocabulary: this.#options.vocabulary,
        constraint: generation.grammar?.start(),
        emit: (event) => this.#emit(generation.id, event),
      });
      const sequence = this.#forkPrompt(generation);
      this.#claimOutput(generation);
      const choice: ActiveChoice = {
        generation,
        run,
        sequence,
        decoded: [],
        nextToken: -1,
        unusedCells: spec.outputTokensMax,
      };
      generation.active.add(choice);
      if (generation.pendingChoices.length > 0) generation.promptLogits ??= logits.slice();
      this.#advance(choice, logits);
    }
  }

  /** Takes a choice's cells out of those that were reserved at the start, or left by a choice that has ended. */
  #claimOutput(generation: Generation): void {
    const { outputTokensMax } = generation.spec;
    if (generation.unusedCells >= outputTokensMax) generation.unusedCells -= outputTokensMax;
    // Cannot fail: the choice whose place this one takes left at least this much.
    else if (!this.#pool.reserve(outputTokensMax)) throw new Error('no cells for the next choice');
  }

  /** The last choice takes the prompt's own sequence over; the others share its cells. */
  #forkPrompt(generation: Generation): number {
    if (generation.pendingChoices.length === 0) return generation.promptSequence;
    const sequence = this.#pool.takeSequence();
    this.#pool.copy(generation.promptSequence, sequence, generation.prompt.length);
    return sequence;
  }

  #finishChoice(choice: ActiveChoice): void {
    const { generation } = choice;
    this.#retire(choice);
    this.#admission.notifyFreed();
    if (generation.pendingChoices.length > 0 && generation.promptLogits !== undefined) {
      this.#startChoices(generation, generation.promptLogits);
    } else if (generation.active.size === 0 && generation.pendingChoices.length === 0) {
      this.#running.delete(generation.id);
      const { cachedTokens, prompt } = generation;
      this.#emit(generation.id, { type: 'end', promptTokens: prompt.length, cachedTokens });
    }
  }

  /** Gives a choice's reservation back and leaves what it computed to the prefix cache. */
  #retire(choice: ActiveChoice): void {
    const { generation } = choice;
    generation.active.delete(choice);
    this.#pool.release(choice.unusedCells);
    if (choice.sequence === generation.promptSequence) this.#forgetPromptEntry(generation);
    const tokens = new Int32Array(generation.prompt.length + choice.decoded.length);
    tokens.set(generation.prompt);
    tokens.set(choice.decoded, generation.prompt.length);
    this.#pool.retain({ ...generation.spec, sequence: choice.sequence, tokens });
  }

  #forgetPromptEntry(generation: Generation): void {
    if (generation.promptEntry === undefined) return;
    generation.promptEntry.isRunning = false;
    this.#pool.cache.remove(generation.promptEntry);
    generation.promptEntry = undefined;
    generation.promptSequence = -1;
  }

  /** Takes a generation out, whatever its state; what it computed stays in the prefix cache. */
  #remove(generation: Generation): void {
    this.#running.delete(generation.id);
    for (const choice of [...generation.active]) this.#retire(choice);
    this.#pool.release(generation.unusedCells);
    generation.unusedCells = 0;
    const { promptSequence, computedTokens } = generation;
    if (promptSequence >= 0) {
      this.#forgetPromptEntry(generation);
      const tokens = generation.prompt.slice(0, computedTokens);
      this.#pool.retain({ ...generation.spec, sequence: promptSequence, tokens });
    }
    this.#admission.notifyFreed();
  }

  #fail(generation: Generation, reason: 'overloaded' | 'failed', detail: string): void {
    this.#remove(generation);
    this.#emit(generation.id, { type: 'error', reason, detail });
  }

  #emitProgress({ id, computedTokens, prompt }: Generation): void {
    this.#emit(id, { type: 'prefill', processedTokens: computedTokens, totalTokens: prompt.length });
  }

  #emit(generationId: number, event: PublishedEvent['event']): void {
    this.#events.push({ generationId, event });
  }

  #publish(): void {
    if (this.#events.length === 0) return;
    this.#options.publish(this.#events);
    this.#events = [];
  }
}
