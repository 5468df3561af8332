/**
 * An engine whose weights are still on their way. The server listens at once: a request that comes before the engine
 * is there waits for it a while, then is answered 503 with what is going on; `health` says the same.
 */
import { ApiError } from '../errors.ts';
import type { Engine, EngineHealth, ModelBacking } from './engine.ts';

export interface DeferredEngineOptions {
  readonly id: string;
  readonly kind: string;
  /** What is known of the weights before they are loaded. */
  readonly backing: ModelBacking;
  /** Makes the engine. `report` changes the text of `health`; the signal fires on `close`. */
  readonly start: (report: (detail: string) => void, signal: AbortSignal) => Promise<Engine>;
  /** Text for people when `start` failed. */
  readonly describeFailure: (error: unknown) => string;
  /** How long a request may wait for the engine. */
  readonly waitMsMax?: number;
}

export interface DeferredEngine extends Engine {
  /** Resolves when `start` has ended, well or badly; `health` says which. Never rejects. */
  readonly started: Promise<void>;
}

/** Loading a file that is here takes seconds; a download may take longer than a client should be left waiting. */
const waitMsDefault = 20_000;
/** Beyond this many, requests are answered 503 at once: each may hold megabytes. */
const waitersMax = 32;

/** Begins to start the engine at once. */
export function createDeferredEngine(options: DeferredEngineOptions): DeferredEngine {
  const abort = new AbortController();
  let engine: Engine | undefined;
  let ownHealth: EngineHealth = { state: 'loading', detail: 'The model is being loaded.' };
  let waiters = 0;

  const start = async (): Promise<void> => {
    try {
      const made = await options.start((detail) => {
        ownHealth = { state: 'loading', detail };
      }, abort.signal);
      engine = made;
      if (abort.signal.aborted) await made.close();
    } catch (error) {
      ownHealth = { state: 'failed', detail: options.describeFailure(error) };
    }
  };
  const started = start();

  /** Resolves when the engine is there or has failed, when the time is over, and when the client or the server leaves. */
  const waitForStart = async (signal: AbortSignal): Promise<void> => {
    if (ownHealth.state !== 'loading' || signal.aborted || waiters >= waitersMax) return;
    const limit = AbortSignal.timeout(options.waitMsMax ?? waitMsDefault);
    const over = AbortSignal.any([signal, abort.signal, limit]);
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    over.addEventListener('abort', () => stop(), { once: true });
    if (over.aborted) return;
    waiters++;
    await Promise.race([started, stopped]);
    waiters--;
  };

  const health = (): EngineHealth => engine?.health() ?? ownHealth;
  /** The engine as soon as it is there. Throws ApiError `model_unavailable` or `client_closed_request`. */
  const obtain = async (signal: AbortSignal): Promise<Engine> => {
    if (engine === undefined) await waitForStart(signal);
    if (signal.aborted) throw new ApiError('client_closed_request');
    if (engine !== undefined) return engine;
    const current = health();
    const detail = current.state === 'ready' ? '' : ` ${current.detail}`;
    throw new ApiError('model_unavailable', {
      message: `No model is loaded.${detail} See \`GET /ready\` and run \`perigee doctor\`.`,
      ...(current.state === 'loading' ? { retryAfterSeconds: 5 } : {}),
    });
  };
  return {
    id: options.id,
    kind: options.kind,
    started,
    health,
    backing: () => engine?.backing() ?? options.backing,
    async whenLoaded(signal) {
      await obtain(signal);
    },
    prepare: async (request, context) => (await obtain(context.signal)).prepare(request, context),
    countText: async (text, signal) => (await obtain(signal)).countText(text, signal),
    stats: async () => await engine?.stats?.(),
    get prefixes() {
      return engine?.prefixes;
    },
    close: async () => {
      abort.abort(new Error('the server is shutting down'));
      await started;
      await engine?.close();
    },
  };
}
