/**
 * What an operator's Prometheus reads at `GET /metrics` (docs/metrics.md has every name). Counted where it happens, in
 * memory; label values come from our own tables (routes, served models, error codes), never from a request.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { Charge, Hold, Meter, TurnOutcome, TurnToMeter } from '../billing/meter.ts';
import type { Usage } from '../chat/types.ts';
import type { ErrorCode } from '../errors.ts';

export interface AnsweredRequest {
  /** The route's pattern; undefined where there is none. */
  readonly route: string | undefined;
  readonly method: string;
  readonly status: number;
  /** Canonical id, once the request was found to name a served model. */
  readonly modelId: string | undefined;
}

/** What the embedded engine says of itself. */
export interface EngineFigures {
  readonly runningSequences: number;
  readonly queuedGenerations: number;
  readonly kvCellsUsed: number;
  readonly kvCellsReserved: number;
  readonly kvCells: number;
  readonly residentBytes: number;
  readonly restarts: number;
  /** Computed prompt beginnings on disk. */
  readonly storedPrefixes: number;
  readonly storedBytes: number;
  readonly restoredTokensTotal: number;
}

export interface ServerMetrics {
  countRequest(request: AnsweredRequest): void;
  /** A failure that a caller was told, in an answer or as the last frame of a stream. */
  countError(code: ErrorCode): void;
  /** The same meter; tokens, money, times and holds of its turns are counted. */
  watchTurns(meter: Meter): Meter;
  /** Asked at every reading; resolves to undefined while there is nothing to say. */
  watchEngine(read: () => Promise<EngineFigures | undefined>): void;
  /** In Prometheus' text format. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

const firstTokenBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const turnBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const commitBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

export function createServerMetrics(): ServerMetrics {
  const registry = new Registry();
  const requests = new Counter({
    name: 'perigee_requests_total',
    help: 'Answered HTTP requests; model is empty where none was named.',
    labelNames: ['method', 'route', 'status', 'model'],
    registers: [registry],
  });
  const errors = new Counter({
    name: 'perigee_errors_total',
    help: 'Failures that callers were told, by the code of docs/errors.md.',
    labelNames: ['code'],
    registers: [registry],
  });
  const turns = createTurnFigures(registry);
  let readEngine: (() => Promise<EngineFigures | undefined>) | undefined;
  const engine = createEngineGauges(registry);
  // CPU, memory, garbage collection and the lag of the event loop.
  collectDefaultMetrics({ register: registry });
  return {
    countRequest: ({ route = 'other', method, status, modelId = '' }) =>
      requests.inc({ method, route, status: String(status), model: modelId }),
    countError: (code) => errors.inc({ code }),
    watchTurns: (meter) => watchTurns(meter, turns),
    watchEngine: (read) => {
      readEngine = read;
    },
    render: async () => {
      const figures = await readEngine?.();
      if (figures !== undefined) engine.set(figures);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

type TurnFigures = ReturnType<typeof createTurnFigures>;

function createTurnFigures(registry: Registry) {
  const registers = [registry];
  return {
    turns: new Counter({
      name: 'perigee_turns_total',
      help: 'Ended turns: succeeded, client_left or failed.',
      labelNames: ['model', 'outcome'],
      registers,
    }),
    tokens: new Counter({
      name: 'perigee_tokens_total',
      help: 'Tokens of charged turns: input (cached ones included), cached_input (not computed again: saved), object_cached_input (the part of those that context caches cover), output.',
      labelNames: ['model', 'kind'],
      registers,
    }),
    cacheHits: new Counter({
      name: 'perigee_cache_hits_total',
      help: 'Charged turns of which a part of the prompt was not computed again: by a context cache (object), or by itself (automatic).',
      labelNames: ['model', 'by'],
      registers,
    }),
    hitRatio: new Gauge({
      name: 'perigee_cache_hit_ratio',
      help: 'Share of all prompt tokens since the start that was not computed again.',
      labelNames: ['model'],
      registers,
    }),
    promptTokensByModel: new Map<string, { input: number; cached: number }>(),
    spend: new Counter({
      name: 'perigee_charged_usd_total',
      help: 'What turns were charged, in US dollars.',
      labelNames: ['model'],
      registers,
    }),
    firstToken: new Histogram({
      name: 'perigee_time_to_first_token_seconds',
      help: 'From the open hold to the first output.',
      labelNames: ['model'],
      buckets: firstTokenBuckets,
      registers,
    }),
    duration: new Histogram({
      name: 'perigee_turn_duration_seconds',
      help: 'From the open hold to the settlement.',
      labelNames: ['model'],
      buckets: turnBuckets,
      registers,
    }),
    holds: new Gauge({
      name: 'perigee_holds_open',
      help: 'Turns of this process whose money is reserved.',
      registers,
    }),
    commits: new Histogram({
      name: 'perigee_ledger_commit_seconds',
      help: 'Time to write the ledger: hold, settle or release.',
      labelNames: ['step'],
      buckets: commitBuckets,
      registers,
    }),
  };
}

function createEngineGauges(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `perigee_engine_${name}`, help, registers });
  const running = gauge('running_sequences', 'Sequences that the embedded engine generates now.');
  const queued = gauge('queued_requests', 'Requests that wait for the embedded engine.');
  const resident = gauge('resident_bytes', 'Memory of the embedded engine’s process.');
  const restarts = gauge('restarts', 'How often the embedded engine’s process was started again.');
  const prefixes = gauge('stored_prefixes', 'Computed prompt beginnings on disk.');
  const prefixBytes = gauge('stored_prefix_bytes', 'What they take of `prefix_disk_megabytes`.');
  const restored = gauge(
    'restored_tokens',
    'Tokens that were read back from there since the process started.',
  );
  const cells = new Gauge({
    name: 'perigee_engine_kv_cells',
    help: 'Cells of the key-value cache: used, reserved (promised to running requests), total.',
    labelNames: ['state'],
    registers,
  });
  return {
    set: (figures: EngineFigures): void => {
      running.set(figures.runningSequences);
      queued.set(figures.queuedGenerations);
      resident.set(figures.residentBytes);
      restarts.set(figures.restarts);
      prefixes.set(figures.storedPrefixes);
      prefixBytes.set(figures.storedBytes);
      restored.set(figures.restoredTokensTotal);
      cells.set({ state: 'used' }, figures.kvCellsUsed);
      cells.set({ state: 'reserved' }, figures.kvCellsReserved);
      cells.set({ state: 'total' }, figures.kvCells);
    },
  };
}

function watchTurns(meter: Meter, figures: TurnFigures): Meter {
  return {
    open: async (turn) => {
      const hold = await timed(figures, 'hold', () => meter.open(turn));
      figures.holds.inc();
      return watchHold(hold, turn, figures);
    },
  };
}

function watchHold(hold: Hold, { modelId: model }: TurnToMeter, figures: TurnFigures): Hold {
  let isOver = false;
  /** Once, however often a turn is settled or released. */
  const conclude = (outcome: TurnOutcome['status'] | 'failed'): boolean => {
    if (isOver) return false;
    isOver = true;
    figures.holds.dec();
    figures.turns.inc({ model, outcome });
    return true;
  };
  return {
    outputTokensMax: hold.outputTokensMax,
    settle: async (outcome) => {
      const charge = await timed(figures, 'settle', () => hold.settle(outcome));
      if (conclude(outcome.status)) countOutcome(figures, model, { outcome, charge });
      return charge;
    },
    release: async (failure) => {
      try {
        await timed(figures, 'release', () => hold.release(failure));
      } finally {
        conclude('failed');
      }
    },
  };
}

function countOutcome(
  figures: TurnFigures,
  model: string,
  { outcome, charge }: { readonly outcome: TurnOutcome; readonly charge: Charge },
): void {
  const { usage, timeToFirstTokenMs, durationMs } = outcome;
  figures.tokens.inc({ model, kind: 'input' }, usage.promptTokens);
  figures.tokens.inc({ model, kind: 'output' }, usage.completionTokens);
  countCaching(figures, model, usage);
  figures.spend.inc({ model }, Number(charge.costNanoUsd) / 1e9);
  if (timeToFirstTokenMs !== undefined) figures.firstToken.observe({ model }, timeToFirstTokenMs / 1_000);
  if (outcome.status === 'succeeded') figures.duration.observe({ model }, durationMs / 1_000);
}

function countCaching(figures: TurnFigures, model: string, usage: Usage): void {
  const objectCachedTokens = usage.objectCachedTokens ?? 0;
  figures.tokens.inc({ model, kind: 'cached_input' }, usage.cachedTokens);
  figures.tokens.inc({ model, kind: 'object_cached_input' }, objectCachedTokens);
  if (usage.cachedTokens > 0) {
    figures.cacheHits.inc({ model, by: objectCachedTokens > 0 ? 'object' : 'automatic' });
  }
  const sums = figures.promptTokensByModel.get(model) ?? { input: 0, cached: 0 };
  sums.input += usage.promptTokens;
  sums.cached += usage.cachedTokens;
  figures.promptTokensByModel.set(model, sums);
  if (sums.input > 0) figures.hitRatio.set({ model }, sums.cached / sums.input);
}

/** Failures are timed too: a database that hangs shows in them first. */
async function timed<Result>(
  { commits }: TurnFigures,
  step: 'hold' | 'settle' | 'release',
  work: () => Promise<Result>,
): Promise<Result> {
  const startedAt = performance.now();
  try {
    return await work();
  } finally {
    commits.observe({ step }, (performance.now() - startedAt) / 1_000);
  }
}
