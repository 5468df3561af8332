/**
 * The engine benchmark: the same file, threads and prompts through our engine and through the yardsticks. All
 * engines stay loaded and take turns within a round (an idle engine takes no CPU), so that noise hits all alike.
 */
import { availableParallelism } from 'node:os';
import { median } from '../statistics.ts';
import type { EngineSubject, RunningEngine } from './engine-subject.ts';
import { llamaServer } from './llama-server.ts';
import { nodeLlamaCpp } from './node-llama-cpp.ts';
import { perigeeChild } from './perigee-child.ts';
import { perigeeHttp } from './perigee-http.ts';
import {
  measureAbort,
  measureConstraint,
  measureFirstToken,
  measureLogprobs,
  measureOneStream,
  measurePrefill,
  measureSharedPrefix,
  measureStall,
  measureStreams,
} from './scenarios.ts';

/** What is measured; `engineLabels` of render-results.ts has the words and units. */
export type EngineMetric =
  | 'prefill512'
  | 'prefill2000'
  | 'oneStream'
  | 'logprobs'
  | 'eightStreams'
  | 'coldMs'
  | 'hotMs'
  | 'hotSpeedup'
  | 'sharedMs'
  | 'stallMs'
  | 'abortMs'
  | 'constrained'
  | 'loopP99Ms'
  | 'loopMaxMs';
export type EngineFigures = Readonly<Partial<Record<EngineMetric, number>>>;
type Samples = Map<EngineMetric, number[]>;

export interface EngineReport {
  readonly model: string;
  readonly threads: number;
  readonly rows: readonly {
    readonly name: string;
    /** Medians; undefined with a reason where the engine could not be measured. */
    readonly figures: EngineFigures | string;
  }[];
}

const rounds = 3;
const threads = Math.min(2, availableParallelism());
const options = { threads, parallel: 8, contextTokens: 4_096 };

/** Our own first, then the yardsticks. */
export const engineSubjects: readonly EngineSubject[] = [
  perigeeChild,
  perigeeHttp,
  llamaServer,
  nodeLlamaCpp,
];

async function runRound(subject: EngineSubject, engine: RunningEngine, samples: Samples): Promise<void> {
  const add = (metric: EngineMetric, value: number | undefined) => {
    if (value !== undefined) samples.set(metric, [...(samples.get(metric) ?? []), value]);
  };
  const stopWatching = engine.watchEventLoop?.();
  add('oneStream', await measureOneStream(engine));
  add('eightStreams', await measureStreams(engine, 8));
  const loop = await stopWatching?.();
  add('loopP99Ms', loop?.p99Ms);
  add('loopMaxMs', loop?.maxMs);
  if (subject.hasLogprobs) add('logprobs', await measureLogprobs(engine));
  add('prefill512', await measurePrefill(engine, 512));
  const { coldMs, hotMs, prompt } = await measureFirstToken(engine);
  add('coldMs', coldMs);
  add('hotMs', hotMs);
  add('hotSpeedup', coldMs / hotMs);
  add('prefill2000', 2_000_000 / coldMs);
  add('constrained', await measureConstraint(engine));
  add('abortMs', await measureAbort(engine));
  add('stallMs', await measureStall(engine));
  // Slow where nothing is shared (all eight compute the prefix), so once is enough.
  if (!samples.has('sharedMs')) add('sharedMs', await measureSharedPrefix(engine, prompt));
}

/** Runs all engines on one file; `report` gets a line per step. */
export async function runEngineBench(
  model: { readonly name: string; readonly path: string },
  report: (line: string) => void,
): Promise<EngineReport> {
  const running = new Map<EngineSubject, RunningEngine>();
  const samples = new Map<EngineSubject, Samples>();
  try {
    for (const subject of engineSubjects) {
      if (subject.missing !== undefined) continue;
      const engine = await subject.start({ modelPath: model.path, ...options });
      running.set(subject, engine);
      samples.set(subject, new Map());
      await measureStreams(engine, 2); // Pages the file in and warms the compiler.
    }
    for (let round = 1; round <= rounds; round++) {
      for (const [subject, engine] of running) {
        await runRound(subject, engine, samples.get(subject) ?? new Map());
        report(`${model.name}: round ${round} of ${rounds}, ${subject.name} done`);
      }
    }
  } finally {
    await Promise.all([...running.values()].map((engine) => engine.stop()));
  }
  const rows = engineSubjects.map((subject) => ({
    name: subject.name,
    figures: summarise(samples.get(subject)) ?? subject.missing ?? 'not measured',
  }));
  return { model: model.name, threads, rows };
}

function summarise(samples: Samples | undefined): EngineFigures | undefined {
  return samples && Object.fromEntries(Array.from(samples, ([metric, values]) => [metric, median(values)]));
}
