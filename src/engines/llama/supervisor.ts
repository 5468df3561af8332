/**
 * Keeps an engine process running and speaks to it: the parent's half of the embedded engine. A crash costs the
 * running requests; the process is back within seconds. The number of waiting requests is bounded here.
 */
import { createHash } from 'node:crypto';
import { ApiError } from '../../errors.ts';
import type { EngineHealth } from '../engine.ts';
import type { PulseRhythm } from './child-pulse.ts';
import { createDrainRate } from './drain-rate.ts';
import { EngineProcess, EngineProcessError } from './engine-process.ts';
import { createEventStream, type EventStream } from './event-stream.ts';
import type { LlamaHost } from './llama-host.ts';
import { createPoisonList } from './poison-list.ts';
import type {
  EngineStats,
  GenerationEvent,
  GenerationSpec,
  LoadedModel,
  LoadOptions,
  PromptPiece,
  QueuedEvent,
} from './protocol.ts';
import { createRunGate } from './run-gate.ts';

export interface SupervisorOptions {
  readonly load: LoadOptions;
  /** Generations that may wait for room; beyond it callers get `engine_overloaded`. */
  readonly queueLengthMax: number;
  /** How long one may wait for room. */
  readonly queueMsMax?: number;
  /** Told what happens to the process, for the log. */
  readonly onChange?: (change: ProcessChange) => void;
  /** Entry of the child process; another one in tests. */
  readonly childEntry?: string;
  /** How soon a process that does not answer is ended; shorter in tests. */
  readonly pulse?: PulseRhythm;
}

export type ProcessChange =
  | { readonly type: 'loaded'; readonly model: LoadedModel }
  | { readonly type: 'load-failed'; readonly detail: string }
  | { readonly type: 'crashed'; readonly detail: string; readonly restartMs: number };

export interface SupervisorStats extends EngineStats {
  readonly restarts: number;
}

interface HeldPrompt {
  readonly pieces: readonly PromptPiece[];
  /** The process that has its tokens. */
  owner: EngineProcess;
}

interface Flight {
  readonly pieces: readonly PromptPiece[];
  readonly stream: EventStream<GenerationEvent>;
  state: 'sent' | 'queued' | 'running';
  queueTimer: NodeJS.Timeout | undefined;
}

const queueMsDefault = 60_000;
/** A request that comes while the process restarts waits this long for it. */
const readyMsMax = 10_000;
const restartMsMin = 200;
const restartMsMax = 8_000;
/** A process that lived this long did not crash because of its start. */
const stableMs = 30_000;
/** After this many crashes in a row the health is `failed`; restarts go on. */
const crashesUntilFailed = 4;
/** Requests on their way to a process that has not yet said whether there is room. */
const inTransitMax = 64;

export class Supervisor implements LlamaHost {
  readonly #options: SupervisorOptions;
  readonly #prompts = new Map<number, HeldPrompt>();
  /** Pinned prefixes that the child has on disk. */
  readonly #pinned = new Set<string>();
  readonly #flights = new Map<number, Flight>();
  readonly #poison = createPoisonList(Date.now);
  readonly #gate = createRunGate();
  readonly #drain = createDrainRate(Date.now);
  #process: EngineProcess | undefined;
  #health: EngineHealth = { state: 'loading', detail: 'the model is being loaded' };
  #model: LoadedModel | undefined;
  #settled = Promise.withResolvers<void>();
  #restartTimer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #crashesInARow = 0;
  #restarts = 0;
  #nextId = 1;

  /** Starts the process at once; `health` and `settled` tell when it is ready. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#start();
  }

  get model(): LoadedModel | undefined {
    return this.#model;
  }

  /** The process id of the child, for diagnosis. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  health(): EngineHealth {
    return this.#health;
  }

  /** Resolves when the model is loaded or cannot be loaded; `health` says which. */
  settled(): Promise<void> {
    return this.#settled.promise;
  }

  async tokenize(pieces: readonly PromptPiece[]): Promise<{ promptId: number; tokenCount: number }> {
    this.#refusePoison(pieces);
    const owner = await this.#whenReady();
    const promptId = this.#nextId++;
    const tokenCount = await this.#tokenizeWith(owner, promptId, pieces);
    this.#prompts.set(promptId, { pieces, owner });
    return { promptId, tokenCount };
  }

  forget(promptId: number): void {
    const held = this.#prompts.get(promptId);
    this.#prompts.delete(promptId);
    if (held !== undefined && held.owner === this.#process) held.owner.forget(promptId);
  }

  async *generate(spec: GenerationSpec, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    const held = this.#prompts.get(spec.promptId);
    if (held === undefined) throw new ApiError('engine_failed', { internal: 'the prompt is not known' });
    try {
      if (signal.aborted) throw new ApiError('client_closed_request');
      if (this.#isFull()) throw this.#overloaded();
      this.#refusePoison(held.pieces);
    } catch (refusal) {
      this.forget(spec.promptId);
      throw refusal;
    }
    this.#prompts.delete(spec.promptId);
    const generationId = this.#nextId++;
    const flight: Flight = {
      pieces: held.pieces,
      stream: createEventStream(),
      state: 'sent',
      queueTimer: undefined,
    };
    this.#flights.set(generationId, flight);
    const leave = () => flight.stream.fail(new ApiError('client_closed_request'));
    signal.addEventListener('abort', leave, { once: true });
    let owner: EngineProcess | undefined;
    let leaveGate: (() => void) | undefined;
    try {
      leaveGate = await this.#enterGate(held.pieces, signal);
      owner = await this.#findOwner(spec.promptId, held);
      if (signal.aborted) {
        owner.forget(spec.promptId);
        throw new ApiError('client_closed_request');
      }
      owner.generate(generationId, spec, {
        receive: (event) => this.#receive(flight, event),
        lose: (error) => this.#lose(flight, error),
      });
      yield* flight.stream.items;
    } finally {
      // Does nothing when the generation came to its end.
      owner?.abort(generationId);
      leaveGate?.();
      if (owner === undefined) held.owner.forget(spec.promptId);
      clearTimeout(flight.queueTimer);
      signal.removeEventListener('abort', leave);
      this.#flights.delete(generationId);
      this.#drain.recordEnd();
    }
  }

  async pin(promptId: number, tenant: string, name: string): Promise<boolean> {
    const held = this.#prompts.get(promptId);
    if (held === undefined) throw new ApiError('engine_failed', { internal: 'the prompt is not known' });
    this.#prompts.delete(promptId);
    try {
      const owner = await this.#findOwner(promptId, held);
      const isStored = await owner.pin(promptId, tenant, name);
      if (isStored) this.#pinned.add(name);
      else this.#pinned.delete(name);
      return isStored;
    } catch (error) {
      throw describeLoss(error);
    }
  }

  unpin(name: string): void {
    this.#pinned.delete(name);
    this.#process?.unpin(name);
  }

  get pinnedPrefixes(): ReadonlySet<string> {
    return this.#pinned;
  }

  get queueLengthMax(): number {
    return this.#options.queueLengthMax;
  }

  /** Undefined while no model is loaded. */
  async stats(): Promise<SupervisorStats | undefined> {
    const owner = this.#process;
    if (owner === undefined || this.#health.state !== 'ready') return undefined;
    try {
      return { ...(await owner.stats()), restarts: this.#restarts };
    } catch (error) {
      if (error instanceof EngineProcessError) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#health = { state: 'failed', detail: 'the server is shutting down' };
    clearTimeout(this.#restartTimer);
    this.#settled.resolve();
    await this.#process?.close();
  }

  #start(): void {
    const listener = { onPrefixLost: (name: string) => void this.#pinned.delete(name) };
    const { childEntry, pulse } = this.#options;
    const process = new EngineProcess(listener, childEntry, pulse);
    const startedAt = Date.now();
    this.#process = process;
    process.load(this.#options.load).then(
      (model) => this.#becomeReady(model),
      (error: unknown) => this.#refuseModel(process, error),
    );
    process.exited.then(
      (error) => this.#recover(process, error, Date.now() - startedAt),
      () => undefined,
    );
  }

  #becomeReady(model: LoadedModel): void {
    if (this.#isClosed) return;
    this.#model = model;
    this.#pinned.clear();
    for (const name of model.pinnedPrefixes) this.#pinned.add(name);
    this.#health = { state: 'ready' };
    this.#settled.resolve();
    this.#options.onChange?.({ type: 'loaded', model });
  }

  /** A model that cannot be loaded now cannot be loaded in a second either: no restart. */
  #refuseModel(process: EngineProcess, error: unknown): void {
    if (this.#isClosed || !(error instanceof EngineProcessError) || error.reason !== 'load') return;
    this.#process = undefined;
    this.#health = { state: 'failed', detail: error.message };
    this.#settled.resolve();
    this.#options.onChange?.({ type: 'load-failed', detail: error.message });
    // It has nothing to lose, so nobody needs to wait for its end.
    void process.close();
  }

  #recover(process: EngineProcess, error: EngineProcessError, aliveMs: number): void {
    if (this.#isClosed || this.#process !== process) return;
    this.#crashesInARow = aliveMs > stableMs ? 1 : this.#crashesInARow + 1;
    this.#restarts += 1;
    const restartMs = Math.min(restartMsMax, restartMsMin * 2 ** (this.#crashesInARow - 1));
    const detail = `the engine's process stopped and is being restarted (${error.message})`;
    // From now on `settled` is about the new process.
    if (this.#health.state === 'ready') this.#settled = Promise.withResolvers();
    const isHopeless = this.#crashesInARow >= crashesUntilFailed;
    this.#health = { state: isHopeless ? 'failed' : 'loading', detail };
    if (isHopeless) this.#settled.resolve();
    this.#options.onChange?.({ type: 'crashed', detail: error.message, restartMs });
    this.#restartTimer = setTimeout(() => this.#start(), restartMs);
  }

  #receive(flight: Flight, event: GenerationEvent | QueuedEvent): void {
    if (event.type === 'queued') {
      flight.state = 'queued';
      if (this.#countQueued() > this.#options.queueLengthMax) flight.stream.fail(this.#overloaded());
      flight.queueTimer = setTimeout(
        () => flight.stream.fail(this.#overloaded()),
        this.#options.queueMsMax ?? queueMsDefault,
      );
      return;
    }
    clearTimeout(flight.queueTimer);
    flight.state = 'running';
    flight.stream.push(event);
    if (event.type === 'end' && !this.#poison.isEmpty) this.#poison.clear(fingerprint(flight.pieces));
    if (event.type === 'end' || event.type === 'error') flight.stream.end();
  }

  #lose(flight: Flight, error: EngineProcessError): void {
    if (flight.state !== 'queued') this.#poison.suspect(fingerprint(flight.pieces), error.wasAlone);
    flight.stream.fail(describeLoss(error));
  }

  /** Waits until an input that is under suspicion can run alone, or until the one that does is done. */
  async #enterGate(pieces: readonly PromptPiece[], signal: AbortSignal): Promise<() => void> {
    const isAlone = !this.#poison.isEmpty && this.#poison.isSuspected(fingerprint(pieces));
    const entered = this.#gate.tryEnter(isAlone);
    if (entered !== undefined) return entered;
    const late = AbortSignal.timeout(this.#options.queueMsMax ?? queueMsDefault);
    try {
      return await this.#gate.enter(isAlone, AbortSignal.any([signal, late]));
    } catch (error) {
      if (signal.aborted) throw new ApiError('client_closed_request', { cause: error });
      throw this.#overloaded();
    }
  }

  /** The process that has the prompt's tokens; after a restart they are made again. */
  async #findOwner(promptId: number, held: HeldPrompt): Promise<EngineProcess> {
    const owner = await this.#whenReady();
    if (held.owner !== owner) await this.#tokenizeWith(owner, promptId, held.pieces);
    return owner;
  }

  async #tokenizeWith(
    owner: EngineProcess,
    promptId: number,
    pieces: readonly PromptPiece[],
  ): Promise<number> {
    try {
      return await owner.tokenize(promptId, pieces);
    } catch (error) {
      if (error instanceof EngineProcessError && error.reason === 'exit') {
        this.#poison.suspect(fingerprint(pieces), error.wasAlone);
      }
      throw describeLoss(error);
    }
  }

  async #whenReady(): Promise<EngineProcess> {
    if (this.#health.state === 'loading') {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, readyMsMax);
      await Promise.race([this.#settled.promise, late]);
      clearTimeout(timer);
    }
    if (this.#health.state !== 'ready' || this.#process === undefined) {
      const detail = this.#health.state === 'ready' ? 'no process' : this.#health.detail;
      throw new ApiError('model_unavailable', { message: `No model is loaded: ${detail}` });
    }
    return this.#process;
  }

  #countQueued(): number {
    let count = 0;
    for (const flight of this.#flights.values()) if (flight.state === 'queued') count += 1;
    return count;
  }

  #isFull(): boolean {
    const { queueLengthMax } = this.#options;
    const queued = this.#countQueued();
    const sent = Array.from(this.#flights.values()).filter(({ state }) => state === 'sent').length;
    return (queueLengthMax > 0 && queued >= queueLengthMax) || queued + sent >= queueLengthMax + inTransitMax;
  }

  #overloaded(): ApiError {
    return new ApiError('engine_overloaded', {
      retryAfterSeconds: this.#drain.estimateSeconds(Math.max(1, this.#countQueued())),
    });
  }

  #refusePoison(pieces: readonly PromptPiece[]): void {
    if (this.#poison.isEmpty || !this.#poison.isPoisoned(fingerprint(pieces))) return;
    throw new ApiError('engine_failed', {
      message: 'The engine stopped twice while it worked on this input; it is refused for ten minutes.',
    });
  }
}

function describeLoss(error: unknown): ApiError {
  if (error instanceof EngineProcessError) {
    return new ApiError('engine_failed', { cause: error, internal: error.message });
  }
  return error instanceof ApiError ? error : new ApiError('engine_failed', { cause: error });
}

function fingerprint(pieces: readonly PromptPiece[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece.text).update(piece.isControl ? '\u0001' : '\u0000');
  return hash.digest('base64');
}
