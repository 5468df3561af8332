/**
 * The platform benchmark: what metering costs per request, against the same server without it, and how long reports
 * over a million requests take.
 */
import path from 'node:path';
import { Bench, measureJson, warmUp } from '../gateway/run-gateway.ts';
import { perigee, type RunningSubject, type Subject, startWith } from '../gateway/subjects.ts';
import { formatNumber, median } from '../statistics.ts';
import { measureReports, type ReportFigures } from './million-rows.ts';

export interface PlatformReport {
  /** CPU per JSON request in microseconds, all threads of the server's process. */
  readonly meteredCpu: number;
  readonly unmeteredCpu: number;
  readonly reports: readonly ReportFigures[];
}

const rounds = 5;

const unmetered: Subject = {
  name: 'Perigee without metering',
  start: (upstreamPort) =>
    startWith((port) => [
      path.join(import.meta.dirname, 'unmetered-server.ts'),
      String(port),
      `http://127.0.0.1:${upstreamPort}/v1`,
    ]),
};

/** `report` gets a line per step. */
export async function runPlatformBench(report: (line: string) => void): Promise<PlatformReport> {
  const cpu = await measureMetering(report);
  return { ...cpu, reports: await measureReports(report) };
}

async function measureMetering(report: (line: string) => void) {
  const bench = await Bench.open();
  const running: RunningSubject[] = [];
  try {
    for (const subject of [perigee, unmetered]) {
      const server = await subject.start(bench.upstreamPort);
      running.push(server);
      await warmUp(bench, server);
      report(`${subject.name} runs`);
    }
    const samples: number[][] = running.map(() => []);
    for (let round = 1; round <= rounds; round += 1) {
      for (const [index, server] of running.entries()) samples[index]?.push(await measureJson(bench, server));
      report(`metering round ${round} of ${rounds} done`);
    }
    const [meteredCpu = Number.NaN, unmeteredCpu = Number.NaN] = samples.map(median);
    return { meteredCpu, unmeteredCpu };
  } finally {
    await Promise.all(running.map((server) => server.stop()));
    bench.close();
  }
}

/** The section of results.md, without its heading and machine. */
export function renderPlatform({ meteredCpu, unmeteredCpu, reports }: PlatformReport): readonly string[] {
  const verdict = (value: number, bound: number) => (value <= bound ? 'met' : '**missed**');
  const target = (text: string, value: number, bound: number) =>
    `| ${text} | ${formatNumber(value)} | ≤ ${bound} | ${verdict(value, bound)} |`;
  return [
    'Metering: keys, limits, hold, settlement on the disk, usage log and metrics, against the same server with one fixed key and the empty meter. Reports: a million requests of one key over 30 days, five models.',
    [
      '| | Perigee | without metering |',
      '| --- | ---: | ---: |',
      `| CPU per JSON request, all threads, µs | ${formatNumber(meteredCpu)} | ${formatNumber(unmeteredCpu)} |`,
    ].join('\n'),
    [
      '| reports on | detail by day and model, median, ms | the same, worst, ms | log at offset 900,000, median, ms | event loop late, max, ms | event loop held, max, ms of CPU |',
      '| --- | ---: | ---: | ---: | ---: | ---: |',
      ...reports
        .map((row) =>
          [row.detailMs, row.detailMaxMs, row.deepLogMs, row.loopMaxMs, row.loopHeldMs].map(formatNumber),
        )
        .map((figures, index) => `| ${[reports[index]?.name, ...figures].join(' | ')} |`),
    ].join('\n'),
    [
      '| target | measured | bound | |',
      '| --- | ---: | ---: | --- |',
      target('CPU with everything ÷ without metering', meteredCpu / unmeteredCpu, 2),
      ...reports.flatMap(({ name, detailMaxMs, loopMaxMs, loopHeldMs }) => [
        target(`${name}: usage detail over a million rows, worst, ms`, detailMaxMs, 300),
        target(`${name}: event loop held by the server’s own code at once, ms of CPU`, loopHeldMs, 20),
        target(`${name}: event loop late, max, ms`, loopMaxMs, 20),
      ]),
    ].join('\n'),
  ];
}
