/**
 * The gateway benchmark: what one request, one event and one open stream cost each server in front of the same mock
 * upstream. The mock and the load generator are processes of their own; CPU time is the server's alone. Rounds are
 * interleaved and medians reported, so that noise on the machine hits every server alike.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, quantile } from '../statistics.ts';
import type { LoadCommand, LoadResult, MockBehaviour, Target } from './load-protocol.ts';
import { modelName, type RunningSubject, type Subject, subjects } from './subjects.ts';

/** Medians over the rounds. Times are microseconds unless the name says otherwise. */
export interface GatewayFigures {
  readonly cpuPerJsonRequest: number;
  readonly cpuPerPacedEvent: number;
  readonly cpuPerBurstEvent: number;
  /** To the first byte of a stream, which leaves before anything is settled. */
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  /** To the first byte of a JSON answer, which leaves when the charge is on the disk. */
  readonly settledP50Ms: number;
  readonly settledP99Ms: number;
  readonly residentMb: number;
  readonly kbPerIdleStream: number;
  readonly streamsHeld: number;
}

export interface GatewayReport {
  readonly rows: readonly { readonly name: string; readonly figures: GatewayFigures | string }[];
}

const rounds = 3;
const jsonRequests = 4_000;
const paced = { streams: 500, events: 40, intervalMs: 50 };
const burst = { streams: 64, concurrency: 16, events: 1_008 };
const latency = { perSecond: 400, seconds: 3, events: 4 };
const streamsToHold = 5_000;

const messages = [{ role: 'user', content: 'Hello' }];
const jsonBody = JSON.stringify({ model: modelName, messages });
const streamBody = JSON.stringify({ model: modelName, messages, stream: true });

/** The two helper processes, with typed access. */
export class Bench {
  readonly #mock: ChildProcess;
  readonly #load: ChildProcess;
  readonly upstreamPort: number;

  private constructor(mock: ChildProcess, load: ChildProcess, upstreamPort: number) {
    this.#mock = mock;
    this.#load = load;
    this.upstreamPort = upstreamPort;
  }

  static async open(): Promise<Bench> {
    const mock = fork(path.join(import.meta.dirname, 'mock-upstream.ts'));
    const [{ port }] = await once(mock, 'message');
    return new Bench(mock, fork(path.join(import.meta.dirname, 'load-generator.ts')), port);
  }

  async apply(command: LoadCommand, behaviour?: MockBehaviour): Promise<LoadResult> {
    if (behaviour !== undefined) this.#mock.send(behaviour);
    this.#load.send(command);
    const [result] = await once(this.#load, 'message');
    return result as LoadResult; // The load generator's only kind of answer.
  }

  close(): void {
    this.#mock.kill();
    this.#load.kill();
  }
}

/** Applies a load and gives the server's CPU time per unit of work. Throws when anything went wrong on the way. */
async function measureCpu(
  bench: Bench,
  subject: RunningSubject,
  work: { command: LoadCommand; behaviour: MockBehaviour; units: number },
): Promise<number> {
  const before = subject.process.cpuMicroseconds();
  const result = await bench.apply(work.command, work.behaviour);
  const used = subject.process.cpuMicroseconds() - before;
  if (result.failed > 0) throw new Error(`${result.failed} requests failed: ${result.failure}`);
  return used / work.units;
}

const atOnce: MockBehaviour = { events: 16, intervalMs: 0, isIdle: false };

function closedLoop(target: Target, body: string, concurrency: number, requests: number): LoadCommand {
  return { type: 'closed-loop', target, body, concurrency, requests };
}

export const measureJson = (bench: Bench, subject: RunningSubject) =>
  measureCpu(bench, subject, {
    command: closedLoop(subject.target, jsonBody, 32, jsonRequests),
    behaviour: atOnce,
    units: jsonRequests,
  });

const measurePaced = (bench: Bench, subject: RunningSubject) =>
  measureCpu(bench, subject, {
    command: closedLoop(subject.target, streamBody, paced.streams, paced.streams),
    behaviour: { events: paced.events, intervalMs: paced.intervalMs, isIdle: false },
    units: paced.streams * paced.events,
  });

const measureBurst = (bench: Bench, subject: RunningSubject) =>
  measureCpu(bench, subject, {
    command: closedLoop(subject.target, streamBody, burst.concurrency, burst.streams),
    behaviour: { events: burst.events, intervalMs: 0, isIdle: false },
    units: burst.streams * burst.events,
  });

/** The figures of a server come down over its first ten thousand requests, while V8 compiles it. */
export async function warmUp(bench: Bench, { target }: RunningSubject): Promise<void> {
  await bench.apply(closedLoop(target, jsonBody, 32, 12_000), atOnce);
  await bench.apply(closedLoop(target, streamBody, 32, 3_000), atOnce);
}

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

async function measureLatency(bench: Bench, target: Target, body: string): Promise<Latency> {
  const { perSecond, seconds, events } = latency;
  const command: LoadCommand = { type: 'open-loop', target, body, perSecond, seconds };
  const result = await bench.apply(command, { ...atOnce, events });
  if (result.failed > 0) throw new Error(`${result.failed} requests failed: ${result.failure}`);
  return { p50: quantile(result.firstByteMs, 0.5), p99: quantile(result.firstByteMs, 0.99) };
}

/** On a fresh server, so that heap left over from other work does not hide what a stream takes. */
async function measureIdleStreams(bench: Bench, subject: Subject) {
  const running = await subject.start(bench.upstreamPort);
  try {
    await bench.apply(closedLoop(running.target, streamBody, 200, 400), atOnce);
    const before = running.process.residentBytes();
    const idle = { ...atOnce, isIdle: true };
    const hold: LoadCommand = {
      type: 'hold',
      target: running.target,
      body: streamBody,
      streams: streamsToHold,
    };
    const { firstByteMs } = await bench.apply(hold, idle);
    await sleep(1_000); // Let garbage collection settle: the figure is what stays, not what passed through.
    const kbPerIdleStream = (running.process.residentBytes() - before) / 1_024 / streamsToHold;
    await bench.apply({ type: 'release' });
    return { kbPerIdleStream, streamsHeld: firstByteMs.length };
  } finally {
    await running.stop();
  }
}

interface Samples {
  readonly json: number[];
  readonly paced: number[];
  readonly burst: number[];
  readonly stream: Latency[];
  readonly whole: Latency[];
}

/** What the server adds to the upstream's own time. */
function subtract(measured: Latency, direct: Latency): Latency {
  return { p50: measured.p50 - direct.p50, p99: measured.p99 - direct.p99 };
}

async function runRound(
  bench: Bench,
  running: ReadonlyMap<Subject, RunningSubject>,
  samples: ReadonlyMap<Subject, Samples>,
): Promise<void> {
  const upstream: Target = {
    origin: `http://127.0.0.1:${bench.upstreamPort}`,
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
  };
  const directStream = await measureLatency(bench, upstream, streamBody);
  const directWhole = await measureLatency(bench, upstream, jsonBody);
  for (const [subject, server] of running) {
    const into = samples.get(subject);
    if (into === undefined) continue;
    into.json.push(await measureJson(bench, server));
    into.paced.push(await measurePaced(bench, server));
    into.burst.push(await measureBurst(bench, server));
    into.stream.push(subtract(await measureLatency(bench, server.target, streamBody), directStream));
    into.whole.push(subtract(await measureLatency(bench, server.target, jsonBody), directWhole));
  }
}

/** Runs everything; `report` gets a line per step. */
export async function runGatewayBench(report: (line: string) => void): Promise<GatewayReport> {
  const bench = await Bench.open();
  const running = new Map<Subject, RunningSubject>();
  const samples = new Map<Subject, Samples>();
  const reasons = new Map<Subject, string>();
  try {
    for (const subject of subjects) {
      if (subject.missing !== undefined) {
        reasons.set(subject, subject.missing);
        continue;
      }
      const server = await subject.start(bench.upstreamPort);
      running.set(subject, server);
      samples.set(subject, { json: [], paced: [], burst: [], stream: [], whole: [] });
      await warmUp(bench, server);
      report(`${subject.name} runs`);
    }
    for (let round = 1; round <= rounds; round++) {
      await runRound(bench, running, samples);
      report(`gateway round ${round} of ${rounds} done`);
    }
    const resident = new Map(
      [...running].map(([subject, { process }]) => [subject, process.residentBytes()]),
    );
    await Promise.all([...running.values()].map((server) => server.stop()));
    const rows = [];
    for (const subject of subjects) {
      const of = samples.get(subject);
      if (of === undefined) {
        rows.push({ name: subject.name, figures: reasons.get(subject) ?? 'not measured' });
        continue;
      }
      const idle = await measureIdleStreams(bench, subject);
      report(`${subject.name} held ${idle.streamsHeld} streams`);
      rows.push({ name: subject.name, figures: summarise(of, resident.get(subject) ?? 0, idle) });
    }
    return { rows };
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()));
    bench.close();
  }
}

function summarise(
  samples: Samples,
  residentBytes: number,
  idle: { kbPerIdleStream: number; streamsHeld: number },
): GatewayFigures {
  return {
    cpuPerJsonRequest: median(samples.json),
    cpuPerPacedEvent: median(samples.paced),
    cpuPerBurstEvent: median(samples.burst),
    addedP50Ms: median(samples.stream.map(({ p50 }) => p50)),
    addedP99Ms: median(samples.stream.map(({ p99 }) => p99)),
    settledP50Ms: median(samples.whole.map(({ p50 }) => p50)),
    settledP99Ms: median(samples.whole.map(({ p99 }) => p99)),
    residentMb: residentBytes / 1_048_576,
    ...idle,
  };
}
