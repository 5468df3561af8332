/**
 * Looks at the upstream from time to time, so that `/ready` and the list of models say the truth before somebody
 * asks for an answer. Turns do not wait for it: a request is the better probe.
 */
import type { ApiError } from '../../errors.ts';
import type { EngineHealth } from '../engine.ts';
import type { JsonResponse, UpstreamConnection } from './upstream-connection.ts';
import type { Upstream } from './upstream-options.ts';
import { asCount, asList, asRecord } from './wire-chunk.ts';

export interface UpstreamHealth {
  current(): EngineHealth;
  /** Resolves when the first look ended, well or badly. */
  readonly asked: Promise<void>;
  /** What the upstream says about its window; undefined when it says nothing. */
  contextTokens(): number | undefined;
  /** A turn has just shown how the upstream does; an error that blames the upstream brings the next look forward. */
  note(error: ApiError | undefined): void;
  stop(): void;
}

const PROBE_TIMEOUT_MS = 10_000;
const RETRY_MS_MIN = 1000;

/** Errors of a turn that say something about the upstream as a whole. */
const unhealthyCodes = new Set(['model_unavailable', 'upstream_failed', 'engine_timeout']);

export function watchUpstream(upstream: Upstream, connection: UpstreamConnection): UpstreamHealth {
  const stopped = new AbortController();
  let health: EngineHealth = {
    state: 'loading',
    detail: `${describeAddress(upstream)} has not answered yet.`,
  };
  const asked = Promise.withResolvers<void>();
  let contextTokens: number | undefined;
  let failureCount = 0;
  let timer: NodeJS.Timeout | undefined;

  const schedule = (delayMs: number): void => {
    clearTimeout(timer);
    if (stopped.signal.aborted) return;
    timer = setTimeout(look, delayMs).unref();
  };

  const look = (): void => {
    const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
    probe(upstream, connection, signal).then(
      (found) => {
        contextTokens = found.contextTokens ?? contextTokens;
        settle(found.health);
      },
      (thrown: unknown) => {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        settle({
          state: 'failed',
          detail: `${describeAddress(upstream)} cannot be reached (${reason}). Check that it runs and its base_url.`,
        });
      },
    );
  };

  const settle = (found: EngineHealth): void => {
    health = found;
    asked.resolve();
    failureCount = found.state === 'ready' ? 0 : failureCount + 1;
    schedule(
      failureCount === 0
        ? upstream.probeIntervalMs
        : Math.min(upstream.probeIntervalMs, RETRY_MS_MIN * 2 ** (failureCount - 1)),
    );
  };

  look();
  return {
    current: () => health,
    asked: asked.promise,
    contextTokens: () => contextTokens,
    note(error) {
      if (error === undefined) health = { state: 'ready' };
      else if (unhealthyCodes.has(error.code) && health.state === 'ready') schedule(0);
    },
    stop() {
      stopped.abort();
      clearTimeout(timer);
    },
  };
}

interface Finding {
  readonly health: EngineHealth;
  readonly contextTokens: number | undefined;
}

async function probe(
  upstream: Upstream,
  connection: UpstreamConnection,
  signal: AbortSignal,
): Promise<Finding> {
  const path = `${upstream.baseUrl.pathname.replace(/\/$/, '')}/models`;
  const response = await connection.requestJson({ method: 'GET', path }, signal);
  const listed =
    response.status === 200 ? await readWindow(upstream, connection, response, signal) : undefined;
  return { health: judge(upstream, response), contextTokens: listed };
}

function judge(upstream: Upstream, { status }: JsonResponse): EngineHealth {
  if (status === 401 || status === 403) {
    const detail = `${describeAddress(upstream)} refuses the key (${status}). Check its api_key.`;
    return { state: 'failed', detail };
  }
  if (status === 503) return { state: 'loading', detail: `${describeAddress(upstream)} is still loading.` };
  if (status >= 500) return { state: 'failed', detail: `${describeAddress(upstream)} answers ${status}.` };
  // Servers without a list of models answer 404, which still shows that they live.
  return { state: 'ready' };
}

interface WireModel {
  readonly id?: unknown;
  /** vLLM, SGLang. */
  readonly max_model_len?: unknown;
  /** Moonshot, OpenRouter, Together. */
  readonly context_length?: unknown;
  /** Groq. */
  readonly context_window?: unknown;
  /** LM Studio. */
  readonly max_context_length?: unknown;
}

async function readWindow(
  upstream: Upstream,
  connection: UpstreamConnection,
  response: JsonResponse,
  signal: AbortSignal,
): Promise<number | undefined> {
  const models = asList(asRecord<{ readonly data?: unknown }>(response.body)?.data);
  const model = models
    .map((entry) => asRecord<WireModel>(entry))
    .find((entry) => entry?.id === upstream.model);
  const listed =
    asCount(model?.max_model_len) ??
    asCount(model?.context_length) ??
    asCount(model?.context_window) ??
    asCount(model?.max_context_length);
  if (listed !== undefined || upstream.tokenizer !== 'llama-server') return listed;
  // llama-server lists the trained window; what it was started with stands in its properties.
  const properties = await connection.requestJson({ method: 'GET', path: '/props' }, signal);
  const generation = asRecord<{ readonly default_generation_settings?: unknown }>(properties.body);
  return asCount(asRecord<{ readonly n_ctx?: unknown }>(generation?.default_generation_settings)?.n_ctx);
}

const describeAddress = ({ id, baseUrl }: Upstream): string => `The engine \`${id}\` at ${baseUrl.origin}`;
