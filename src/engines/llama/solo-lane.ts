/**
 * Deterministic generations: same seed, same text, cached or not, whatever else runs. Floating-point results depend
 * on the shape of a batch and on where in the cache a token lies, so these run one at a time, in a context of
 * their own whose cell i always holds position i, with prompts cut at fixed 64-token borders.
 */
import { type ChoiceRun, createChoiceRun } from './choice-run.ts';
import type { GenerationTask } from './generation.ts';
import type { NativeContext } from './native-context.ts';
import { blockTokens, commonPrefix } from './prefix-cache.ts';
import type { GenerationEvent, GenerationSpec } from './protocol.ts';
import type { VocabularyView } from './vocabulary-view.ts';

export interface SoloLaneOptions {
  /** Called at the first deterministic generation, so that nobody else pays for a second KV cache. */
  readonly createContext: () => NativeContext;
  readonly vocabulary: VocabularyView;
  /** Longest prompt + output. */
  readonly contextTokens: number;
}

type Emit = (event: GenerationEvent) => void;

interface SoloTask {
  readonly task: GenerationTask;
  readonly emit: Emit;
}

interface Current extends SoloTask {
  computedTokens: number;
  readonly cachedTokens: number;
  readonly pendingChoices: GenerationSpec['choices'][number][];
  promptLogits: Float32Array;
  run: ChoiceRun | undefined;
  decodedTokens: number;
  nextToken: number;
  isCancelled: boolean;
}

const sequence = 0;
const noLogits = new Float32Array(0);
const noTokens = new Int32Array(0);

export class SoloLane {
  readonly #options: SoloLaneOptions;
  readonly #queue: SoloTask[] = [];
  #context: NativeContext | undefined;
  #current: Current | undefined;
  #heldTenant = '';
  /** Prompt tokens in the cache that were computed in whole 64-token blocks. */
  #heldTokens: Int32Array = noTokens;
  #decodedTokens = 0;
  #prefilledTokens = 0;
  #reusedTokens = 0;

  constructor(options: SoloLaneOptions) {
    this.#options = options;
  }

  get hasWork(): boolean {
    return this.#current !== undefined || this.#queue.length > 0;
  }

  submit(task: GenerationTask, emit: Emit): void {
    if (task.prompt.length + task.spec.outputTokensMax > this.#options.contextTokens) {
      emit({ type: 'error', reason: 'failed', detail: 'the prompt and its output exceed the window' });
      return;
    }
    this.#queue.push({ task, emit });
  }

  abort(generationId: number): void {
    const index = this.#queue.findIndex(({ task }) => task.id === generationId);
    if (index >= 0) this.#queue.splice(index, 1);
    if (this.#current?.task.id === generationId) {
      this.#current.isCancelled = true;
      this.#context?.setAbort(true);
    }
  }

  stats() {
    return {
      running: this.#current === undefined ? 0 : 1,
      queued: this.#queue.length,
      decodedTokens: this.#decodedTokens,
      prefilledTokens: this.#prefilledTokens,
      reusedTokens: this.#reusedTokens,
    };
  }

  /** Runs one decode; false when there was nothing to do. Must not overlap with decodes of another context. */
  async step(): Promise<boolean> {
    if (this.#current?.isCancelled === true) this.#current = undefined;
    const next = this.#current === undefined ? this.#queue.shift() : undefined;
    try {
      if (next !== undefined) this.#start(next);
      const current = this.#current;
      if (current === undefined || this.#context === undefined) return next !== undefined;
      await this.#decode(current, this.#context);
    } catch (error) {
      const failed = this.#current ?? next;
      this.#current = undefined;
      failed?.emit({ type: 'error', reason: 'failed', detail: String(error) });
    }
    return true;
  }

  #start(next: SoloTask): void {
    this.#context ??= this.#options.createContext();
    const { spec, prompt } = next.task;
    const common = spec.tenant === this.#heldTenant ? commonPrefix(this.#heldTokens, prompt) : 0;
    // The last token must be computed anew, and with it its whole block, as an uncached run would.
    const reused = floorToBlock(Math.min(common, prompt.length - 1));
    this.#context.truncateSequence(sequence, reused);
    this.#heldTenant = spec.tenant;
    this.#heldTokens = prompt.slice(0, reused);
    this.#reusedTokens += reused;
    this.#current = {
      ...next,
      computedTokens: reused,
      cachedTokens: reused,
      pendingChoices: [...spec.choices],
      promptLogits: noLogits,
      run: undefined,
      decodedTokens: 0,
      nextToken: -1,
      isCancelled: false,
    };
    next.emit({ type: 'prefill', processedTokens: reused, totalTokens: prompt.length });
  }

  async #decode(current: Current, context: NativeContext): Promise<void> {
    const { prompt } = current.task;
    const { run } = current;
    if (run !== undefined) {
      const position = prompt.length + current.decodedTokens;
      const result = await context.decode([
        { token: current.nextToken, position, sequence, needsLogits: true },
      ]);
      if (current.isCancelled) return;
      if (result !== 'done') throw new Error(`decode ended with ${result}`);
      current.decodedTokens += 1;
      this.#decodedTokens += 1;
      this.#advance(current, run, context.logits(0));
      return;
    }
    const start = current.computedTokens;
    const end = Math.min(prompt.length, floorToBlock(start) + blockTokens);
    const tokens = Array.from(prompt.subarray(start, end), (token, i) => ({
      token,
      position: start + i,
      sequence,
      needsLogits: start + i === prompt.length - 1,
    }));
    const result = await context.decode(tokens);
    if (current.isCancelled) return;
    if (result !== 'done') throw new Error(`decode ended with ${result}`);
    current.computedTokens = end;
    this.#prefilledTokens += end - start;
    this.#heldTokens = prompt.slice(0, floorToBlock(end));
    current.emit({ type: 'prefill', processedTokens: end, totalTokens: prompt.length });
    if (end === prompt.length) {
      current.promptLogits = context.logits(0).slice();
      this.#startNextChoice(current);
    }
  }

  #startNextChoice(current: Current): void {
    const { task, emit } = current;
    const asked = current.pendingChoices.shift();
    if (asked === undefined) {
      this.#current = undefined;
      emit({ type: 'end', promptTokens: task.prompt.length, cachedTokens: current.cachedTokens });
      return;
    }
    this.#context?.truncateSequence(sequence, task.prompt.length);
    current.decodedTokens = 0;
    current.run = createChoiceRun({
      spec: task.spec,
      ...asked,
      vocabulary: this.#options.vocabulary,
      constraint: task.grammar?.start(),
      emit,
    });
    this.#advance(current, current.run, current.promptLogits);
  }

  #advance(current: Current, run: ChoiceRun, logits: Float32Array): void {
    const token = run.advance(logits);
    if (token === undefined) this.#startNextChoice(current);
    else current.nextToken = token;
  }
}

function floorToBlock(tokens: number): number {
  return Math.floor(tokens / blockTokens) * blockTokens;
}
