/**
 * The engine benchmark: the same file, threads and prompts through our engine and through the yardsticks. All
 * engines stay loaded and take turns within a round (an idle engine takes no CPU), so that noise hits all alike.
 */
import { availableParallelism } from 'node:os';
import { formatNumber, median } from '../statistics.ts';
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

const threads = Math.min(2, availableParallelism());
const options = { threads, parallel: 8, contextTokens: 4_096 };

const ownSubjects: readonly EngineSubject[] = [perigeeChild, perigeeHttp];
/** Our own first, then the yardsticks. */
export const engineSubjects: readonly EngineSubject[] = [...ownSubjects, llamaServer, nodeLlamaCpp];

interface RoundOptions {
  readonly subject: EngineSubject;
  readonly engine: RunningEngine;
  readonly samples: Samples;
  /** Also what no target compares with a yardstick: of those it takes minutes, so once is enough. */
  readonly isWhole: boolean;
}

async function runRound({ subject, engine, samples, isWhole }: RoundOptions): Promise<void> {
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
  if (isWhole || ownSubjects.includes(subject)) {
    add('abortMs', await measureAbort(engine));
    add('stallMs', await measureStall(engine));
  }
  if (isWhole) add('sharedMs', await measureSharedPrefix(engine, prompt));
}

export interface BenchedModel {
  readonly name: string;
  readonly path: string;
  readonly rounds: number;
  /** False leaves out what takes the yardsticks minutes. */
  readonly isWhole: boolean;
}

/** Runs all engines on one file; `report` gets a line per step. */
export async function runEngineBench(
  model: BenchedModel,
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
    for (let round = 1; round <= model.rounds; round++) {
      for (const [subject, engine] of running) {
        const ofSubject: Samples = samples.get(subject) ?? new Map();
        await runRound({ subject, engine, samples: ofSubject, isWhole: model.isWhole && round === 1 });
        report(`${model.name}: round ${round} of ${model.rounds}, ${subject.name}: ${describe(ofSubject)}`);
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

/** The newest figures: a run that is cut short is not all in vain. */
function describe(samples: Samples): string {
  return Array.from(samples, ([metric, values]) => `${metric} ${formatNumber(values.at(-1))}`).join(', ');
}

function summarise(samples: Samples | undefined): EngineFigures | undefined {
  return samples && Object.fromEntries(Array.from(samples, ([metric, values]) => [metric, median(values)]));
}
