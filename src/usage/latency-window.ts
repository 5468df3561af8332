/** How fast each model answered in the last five minutes, in this process. Nothing of it is stored. */

const windowMs = 300_000;
/** Newest samples kept per model: sorting them takes a millisecond or two. */
const samplesMax = 10_000;
/** The endpoint is open to everybody, so the sums are made at most once in this time. */
const freshMs = 1_000;

/** One turn that was answered to its end. */
export interface LatencySample {
  readonly modelId: string;
  readonly timeToFirstTokenMs: number | undefined;
  readonly durationMs: number;
  /** Over all choices. */
  readonly outputTokens: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p99: number;
}

/** A figure is undefined when no sample has it. */
export interface ModelLatency {
  readonly modelId: string;
  readonly timeToFirstTokenMs: Percentiles | undefined;
  /** While tokens were generated, so without the time to the first one. */
  readonly tokensPerSecond: Percentiles | undefined;
  readonly durationMs: Percentiles | undefined;
}

export interface LatencySummary {
  /** Milliseconds since 1970. */
  readonly computedAt: number;
  /** Models with samples only, by id. */
  readonly models: readonly ModelLatency[];
}

export interface LatencyWindow {
  record(sample: LatencySample): void;
  summarise(): LatencySummary;
}

export const latencyWindowSeconds = windowMs / 1_000;

interface TimedSample extends LatencySample {
  readonly at: number;
}

/** `now` in milliseconds since 1970. */
export function createLatencyWindow(now: () => number = Date.now): LatencyWindow {
  const samplesByModel = new Map<string, TimedSample[]>();
  let latest: LatencySummary | undefined;
  return {
    record: (sample) => {
      const samples = samplesByModel.get(sample.modelId) ?? [];
      samplesByModel.set(sample.modelId, samples);
      samples.push({ ...sample, at: now() });
      // Cut rarely, by half: cutting one off each time would move all the others.
      if (samples.length >= 2 * samplesMax) samples.splice(0, samples.length - samplesMax);
    },
    summarise: () => {
      const at = now();
      if (latest !== undefined && at >= latest.computedAt && at - latest.computedAt < freshMs) return latest;
      const models = [...samplesByModel].flatMap(([modelId, samples]) => {
        const first = samples.findIndex((sample) => sample.at > at - windowMs);
        samples.splice(0, first === -1 ? samples.length : first);
        return samples.length === 0 ? [] : [describeModel(modelId, samples.slice(-samplesMax))];
      });
      latest = { computedAt: at, models: models.toSorted((a, b) => (a.modelId < b.modelId ? -1 : 1)) };
      return latest;
    },
  };
}

function describeModel(modelId: string, samples: readonly LatencySample[]): ModelLatency {
  return {
    modelId,
    timeToFirstTokenMs: percentilesOf(samples.map((sample) => sample.timeToFirstTokenMs)),
    tokensPerSecond: percentilesOf(samples.map(throughputOf)),
    durationMs: percentilesOf(samples.map((sample) => sample.durationMs)),
  };
}

/** The first token is there when the time begins, so it does not count. */
function throughputOf(sample: LatencySample): number | undefined {
  if (sample.timeToFirstTokenMs === undefined || sample.outputTokens < 2) return undefined;
  const generationMs = sample.durationMs - sample.timeToFirstTokenMs;
  return generationMs > 0 ? ((sample.outputTokens - 1) * 1_000) / generationMs : undefined;
}

/** By nearest rank, so each is a value that occurred; rounded to a tenth. */
function percentilesOf(values: readonly (number | undefined)[]): Percentiles | undefined {
  const sorted = Float64Array.from(values.filter((value) => value !== undefined)).sort();
  if (sorted.length === 0) return undefined;
  const at = (percent: number): number =>
    Math.round((sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? 0) * 10) / 10;
  return { p50: at(50), p75: at(75), p90: at(90), p99: at(99) };
}
