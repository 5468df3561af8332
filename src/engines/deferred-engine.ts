/**
 * An engine whose weights are still on their way. The server listens at once: until the engine is there, `health`
 * says what is going on and `prepare` answers 503 with what to do.
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
}

export interface DeferredEngine extends Engine {
  /** Resolves when `start` has ended, well or badly; `health` says which. Never rejects. */
  readonly started: Promise<void>;
}

/** Begins to start the engine at once. */
export function createDeferredEngine(options: DeferredEngineOptions): DeferredEngine {
  const abort = new AbortController();
  let engine: Engine | undefined;
  let ownHealth: EngineHealth = { state: 'loading', detail: 'The model is being loaded.' };

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

  const health = (): EngineHealth => engine?.health() ?? ownHealth;
  return {
    id: options.id,
    kind: options.kind,
    started,
    health,
    backing: () => engine?.backing() ?? options.backing,
    prepare: (request, context) => {
      if (engine !== undefined) return engine.prepare(request, context);
      const current = health();
      const detail = current.state === 'ready' ? '' : ` ${current.detail}`;
      return Promise.reject(
        new ApiError('model_unavailable', {
          message: `No model is loaded.${detail} See \`GET /ready\` and run \`perigee doctor\`.`,
          ...(current.state === 'loading' ? { retryAfterSeconds: 5 } : {}),
        }),
      );
    },
    close: async () => {
      abort.abort(new Error('the server is shutting down'));
      await started;
      await engine?.close();
    },
  };
}
