/** One run of the engine's child process, as a typed API. It is not restarted here: see `supervisor.ts`. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { usualRhythm, watchPulse } from './child-pulse.ts';
import type {
  ChildMessage,
  EngineStats,
  GenerationEvent,
  GenerationSpec,
  LoadedModel,
  LoadOptions,
  ParentMessage,
  PromptPiece,
  QueuedEvent,
} from './protocol.ts';

/** The process ended, or could not do what was asked; `detail` is for the log. */
export class EngineProcessError extends Error {
  /** `input`: this one request cannot be done. `load`: the model cannot be loaded. `exit`: the process is gone. */
  readonly reason: 'input' | 'load' | 'exit';
  /** Of an `exit`: one input was in work, so it alone can be the cause. */
  readonly wasAlone: boolean;

  constructor(reason: EngineProcessError['reason'], detail: string, wasAlone = false) {
    super(detail);
    this.name = 'EngineProcessError';
    this.reason = reason;
    this.wasAlone = wasAlone;
  }
}

export interface GenerationSink {
  receive(event: GenerationEvent | QueuedEvent): void;
  /** The process ended; no further event follows. */
  lose(error: EngineProcessError): void;
}

/** What the process tells without being asked. */
export interface ProcessListener {
  onPrefixLost(name: string): void;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

const closeMsMax = 2_000;
/** Kept of what llama.cpp writes to stderr; enough for the reason of a failed load. */
const logTailLength = 4_000;

/** For whoever came after the process had ended. */
function withoutBlame({ reason, message }: EngineProcessError): EngineProcessError {
  return new EngineProcessError(reason, message);
}

/** The child's entry beside this file, whether it runs from source or from the emitted JavaScript. */
function defaultEntry(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./child.${extension}`, import.meta.url));
}

export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #tokenizing = new Map<number, Waiter<number>>();
  readonly #generating = new Map<number, GenerationSink>();
  readonly #statsWaiters = new Map<number, Waiter<EngineStats>>();
  readonly #pinning = new Map<number, Waiter<boolean>>();
  readonly #listener: ProcessListener;
  readonly #stopPulse: () => void;
  #loading: Waiter<LoadedModel> | undefined;
  #nextStatsId = 1;
  #logTail = '';
  #exit: EngineProcessError | undefined;
  /** Resolves when the process is gone, however it ended. */
  readonly exited: Promise<EngineProcessError>;

  constructor(listener: ProcessListener, entry: string = defaultEntry(), rhythm = usualRhythm) {
    this.#listener = listener;
    this.#child = fork(entry, [], {
      serialization: 'advanced',
      execArgv: [],
      // Nothing of the server's environment is needed there, secrets least of all. One worker thread
      // decodes, one tokenizes, one reads and writes files.
      env: { UV_THREADPOOL_SIZE: '3' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#logTail = (this.#logTail + text).slice(-logTailLength);
    });
    this.#child.on('message', (message) => {
      // The child is our own code: the channel carries nothing but ChildMessage.
      this.#receive(message as ChildMessage);
    });
    this.#stopPulse = watchPulse({
      ask: () => this.stats(),
      // While it loads it may be silent for long.
      isBusy: () => this.#loading === undefined && this.#countInWork() > 0,
      onSilent: () => this.#child.kill('SIGKILL'),
      rhythm,
    });
    this.exited = new Promise((resolve) => {
      const settle = (detail: string) => {
        this.#stopPulse();
        this.#exit ??= new EngineProcessError('exit', detail, this.#countInWork() === 1);
        this.#loseAll(this.#exit);
        resolve(this.#exit);
      };
      this.#child.once('exit', (code, signal) =>
        settle(`ended with ${signal ?? `code ${code}`}; ${this.#lastLog()}`),
      );
      this.#child.once('error', (error) => settle(`failed: ${error.message}`));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws EngineProcessError `load` or `exit` */
  load(options: LoadOptions): Promise<LoadedModel> {
    return this.#ask({ type: 'load', options }, (waiter) => {
      this.#loading = waiter;
    });
  }

  /** @throws EngineProcessError `input` or `exit` */
  tokenize(promptId: number, pieces: readonly PromptPiece[]): Promise<number> {
    return this.#ask({ type: 'tokenize', promptId, pieces }, (waiter) => {
      this.#tokenizing.set(promptId, waiter);
    });
  }

  forget(promptId: number): void {
    this.#send({ type: 'forget', promptId });
  }

  generate(generationId: number, spec: GenerationSpec, sink: GenerationSink): void {
    if (this.#exit !== undefined) {
      sink.lose(withoutBlame(this.#exit));
      return;
    }
    this.#generating.set(generationId, sink);
    this.#send({ type: 'generate', generationId, spec });
  }

  /** No event of this generation follows. */
  abort(generationId: number): void {
    if (this.#generating.delete(generationId)) this.#send({ type: 'abort', generationId });
  }

  /** Whether the prefix is on disk now. @throws EngineProcessError `exit` */
  pin(promptId: number, tenant: string, name: string): Promise<boolean> {
    return this.#ask({ type: 'pin', promptId, tenant, name }, (waiter) => {
      this.#pinning.set(promptId, waiter);
    });
  }

  unpin(name: string): void {
    this.#send({ type: 'unpin', name });
  }

  /** @throws EngineProcessError `exit` */
  stats(): Promise<EngineStats> {
    const requestId = this.#nextStatsId++;
    return this.#ask({ type: 'stats', requestId }, (waiter) => {
      this.#statsWaiters.set(requestId, waiter);
    });
  }

  /** Resolves when the process is gone; after two seconds it is killed. */
  async close(): Promise<void> {
    this.#send({ type: 'close' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), closeMsMax);
    await this.exited;
    clearTimeout(timer);
  }

  #ask<T>(message: ParentMessage, register: (waiter: Waiter<T>) => void): Promise<T> {
    if (this.#exit !== undefined) return Promise.reject(withoutBlame(this.#exit));
    return new Promise((resolve, reject) => {
      register({ resolve, reject });
      this.#send(message);
    });
  }

  #send(message: ParentMessage): void {
    // A message to a process that just ended is lost; whoever waits for its answer is told by `exit`.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #receive(message: ChildMessage): void {
    switch (message.type) {
      case 'loaded':
        this.#loading?.resolve(message.model);
        this.#loading = undefined;
        break;
      case 'load-failed':
        this.#loading?.reject(new EngineProcessError('load', `${message.detail} ${this.#errorLog()}`.trim()));
        break;
      case 'tokenized':
        this.#take(this.#tokenizing, message.promptId)?.resolve(message.tokenCount);
        break;
      case 'tokenize-failed':
        this.#take(this.#tokenizing, message.promptId)?.reject(
          new EngineProcessError('input', message.detail),
        );
        break;
      case 'pinned':
        this.#take(this.#pinning, message.promptId)?.resolve(message.isStored);
        break;
      case 'prefix-lost':
        this.#listener.onPrefixLost(message.name);
        break;
      case 'stats':
        this.#take(this.#statsWaiters, message.requestId)?.resolve(message.stats);
        break;
      case 'events':
        for (const { generationId, event } of message.events) this.#deliver(generationId, event);
        break;
      default:
        message satisfies never;
    }
  }

  #deliver(generationId: number, event: GenerationEvent | QueuedEvent): void {
    const sink = this.#generating.get(generationId);
    if (event.type === 'end' || event.type === 'error') this.#generating.delete(generationId);
    sink?.receive(event);
  }

  #countInWork(): number {
    return this.#tokenizing.size + this.#generating.size;
  }

  #take<T>(waiters: Map<number, Waiter<T>>, id: number): Waiter<T> | undefined {
    const waiter = waiters.get(id);
    waiters.delete(id);
    return waiter;
  }

  #loseAll(error: EngineProcessError): void {
    const waiters = [...this.#tokenizing.values(), ...this.#statsWaiters.values(), ...this.#pinning.values()];
    this.#loading?.reject(error);
    for (const waiter of waiters) waiter.reject(error);
    const sinks = [...this.#generating.values()];
    this.#tokenizing.clear();
    this.#statsWaiters.clear();
    this.#pinning.clear();
    this.#generating.clear();
    for (const sink of sinks) sink.lose(error);
  }

  #lastLog(): string {
    return this.#logTail.trim().split('\n').slice(-5).join(' | ');
  }

  /** What llama.cpp itself said was wrong. */
  #errorLog(): string {
    const lines = this.#logTail.split('\n').filter((line) => /error|failed/i.test(line));
    return lines.slice(-3).join(' | ');
  }
}
