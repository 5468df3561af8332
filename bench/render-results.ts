/** The figures as Markdown: one table per benchmark, and one that holds them against the targets. */
import type { CachingReport } from './caching/run-caching.ts';
import type { EngineFigures, EngineMetric, EngineReport } from './engine/run-engine.ts';
import type { GatewayFigures, GatewayReport } from './gateway/run-gateway.ts';
import { type PlatformReport, renderPlatform } from './platform/run-platform.ts';
import { formatNumber } from './statistics.ts';
import type { StoreFigures, StoreReport } from './store/run-store.ts';
import { renderWebSearch, type WebSearchBenchReport } from './web-search/run-web-search.ts';

export interface BenchResults {
  readonly gateway?: { readonly machine: readonly string[]; readonly report: GatewayReport };
  readonly engine?: { readonly machine: readonly string[]; readonly reports: readonly EngineReport[] };
  readonly store?: { readonly machine: readonly string[]; readonly report: StoreReport };
  readonly platform?: { readonly machine: readonly string[]; readonly report: PlatformReport };
  readonly webSearch?: { readonly machine: readonly string[]; readonly report: WebSearchBenchReport };
  readonly caching?: { readonly machine: readonly string[]; readonly report: CachingReport };
}

interface Target {
  readonly text: string;
  readonly value: number | undefined;
  readonly bound: number;
  readonly isMaximum: boolean;
}

const gatewayLabels: Readonly<Record<keyof GatewayFigures, string>> = {
  cpuPerJsonRequest: 'CPU per JSON request, µs',
  cpuPerPacedEvent: 'CPU per SSE event, 500 paced streams, µs',
  cpuPerBurstEvent: 'CPU per SSE event, burst, µs',
  addedP50Ms: 'added to the first byte of a stream at 400 requests/s, p50, ms',
  addedP99Ms: 'the same, p99, ms',
  settledP50Ms: 'added to a JSON answer at 400 requests/s (Perigee: its charge is on the disk), p50, ms',
  settledP99Ms: 'the same, p99, ms',
  residentMb: 'memory after the load, MB',
  kbPerIdleStream: 'memory per idle stream, KB',
  streamsHeld: 'open streams held (of 5,000)',
};

export const engineLabels: Readonly<Record<EngineMetric, string>> = {
  prefill512: 'prefill 512 tokens, tok/s',
  prefill2000: 'prefill 2,000 tokens, tok/s',
  oneStream: 'decode, one stream, tok/s',
  logprobs: 'the same with top-5 logprobs, tok/s',
  eightStreams: 'decode, 8 streams together, tok/s',
  coldMs: 'first token, 2,000-token prompt, cold, ms',
  hotMs: 'first token, hot prefix, ms',
  hotSpeedup: 'cold ÷ hot',
  sharedMs: '8 requests at once on a hot 2,000-token prefix: worst first token, ms',
  stallMs: 'longest stall of a stream while a 3,500-token prompt prefills, ms',
  abortMs: 'abort of a prefill until the engine is free, ms',
  constrained: 'schema-constrained ÷ free decoding',
  loopP99Ms: 'event loop of the serving process, p99, ms',
  loopMaxMs: 'event loop of the serving process, max, ms',
};

export function renderResults(results: BenchResults): string {
  return [
    '# Benchmark results',
    'Written by `npm run bench`; not edited by hand. Medians of interleaved rounds on one machine: read ratios, not absolutes.',
    ...(results.gateway === undefined ? [] : renderGateway(results.gateway)),
    ...(results.engine === undefined ? [] : renderEngine(results.engine)),
    ...(results.caching === undefined ? [] : renderCaching(results.caching)),
    ...(results.store === undefined ? [] : renderStore(results.store)),
    ...(results.platform === undefined
      ? []
      : ['## Platform', renderList(results.platform.machine), ...renderPlatform(results.platform.report)]),
    ...(results.webSearch === undefined
      ? []
      : [
          '## Web search',
          renderList(results.webSearch.machine),
          ...renderWebSearch(results.webSearch.report),
        ]),
    '',
  ].join('\n\n');
}

function renderGateway({ machine, report }: NonNullable<BenchResults['gateway']>): string[] {
  return [
    '## Gateway',
    renderList(machine),
    'Every server relays to the same mock upstream. Perigee runs as shipped: key check, meter, usage and access log.',
    renderTable(gatewayLabels, report.rows),
    renderTargets(listGatewayTargets(report)),
  ];
}

function renderEngine({ machine, reports }: NonNullable<BenchResults['engine']>): string[] {
  return [
    '## Embedded engine',
    renderList(machine),
    ...reports.flatMap((report) => [
      `### ${report.model}, ${report.threads} threads`,
      renderTable(engineLabels, report.rows),
      renderTargets(listEngineTargets(report)),
    ]),
  ];
}

function renderCaching({ machine, report }: NonNullable<BenchResults['caching']>): string[] {
  const rows = report.firstTokens.map(({ tokens, coldMs, memoryMs, restoredMs }) => {
    const cells = [coldMs, memoryMs, restoredMs, coldMs / memoryMs, coldMs / restoredMs].map(formatNumber);
    return `| ${[tokens.toLocaleString('en-US'), ...cells].join(' | ')} |`;
  });
  return [
    '## Caching',
    renderList(machine),
    `${report.model}, ${report.threads} threads. The last 20 tokens of each prompt are new; “read back” is the first use after a restart.`,
    [
      '| prompt tokens | first token cold, ms | beginning in memory, ms | read back from disk, ms | cold ÷ memory | cold ÷ read back |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
    renderTargets(listCachingTargets(report)),
  ];
}

function renderStore({ machine, report }: NonNullable<BenchResults['store']>): string[] {
  const rows = (figures: readonly StoreFigures[]) =>
    figures.map(
      ({ name, perSecond, cpuMicroseconds }) =>
        `| ${name} | ${formatNumber(perSecond)} | ${formatNumber(cpuMicroseconds)} |`,
    );
  const table = (what: string, figures: readonly StoreFigures[]) =>
    [
      `| ${what} | per second | CPU of the server’s process, µs |`,
      '| --- | ---: | ---: |',
      ...rows(figures),
    ].join('\n');
  return [
    '## Store',
    renderList(machine),
    'A turn is a hold and its durable settlement, 32 at a time on one account and key; a check takes four limits and gives two back. Database and bench share the machine.',
    table('turns on', report.turns),
    table('rate-limit checks in', report.checks),
  ];
}

const renderList = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n');

interface Row<Figures> {
  readonly name: string;
  readonly figures: Figures | string;
}

function renderTable<Key extends string>(
  labels: Readonly<Record<Key, string>>,
  rows: readonly Row<Readonly<Partial<Record<Key, number>>>>[],
): string {
  const measured = rows.flatMap(({ name, figures }) =>
    typeof figures === 'string' ? [] : [{ name, figures }],
  );
  const keys = Object.keys(labels) as Key[]; // The record's own keys; Object.keys widens them to string.
  const lines = [
    ['', ...measured.map(({ name }) => name)],
    ['---', ...measured.map(() => '---:')],
    ...keys.map((key) => [labels[key], ...measured.map(({ figures }) => formatNumber(figures[key]))]),
  ];
  const missing = rows.flatMap(({ name, figures }) =>
    typeof figures === 'string' ? [`${name}: not measured (${figures}).`] : [],
  );
  return [...lines.map((cells) => `| ${cells.join(' | ')} |`), ...missing.map((line) => `\n${line}`)].join(
    '\n',
  );
}

function renderTargets(targets: readonly Target[]): string {
  const lines = targets.map(({ text, value, bound, isMaximum }) => {
    const isMet = value !== undefined && (isMaximum ? value <= bound : value >= bound);
    const verdict = value === undefined ? 'not measured' : isMet ? 'met' : '**missed**';
    return `| ${text} | ${formatNumber(value)} | ${isMaximum ? '≤' : '≥'} ${bound} | ${verdict} |`;
  });
  return ['| target | measured | bound | |', '| --- | ---: | ---: | --- |', ...lines].join('\n');
}

function findFigures<Figures>(rows: readonly Row<Figures>[], name: string): Figures | undefined {
  const figures = rows.find((row) => row.name === name)?.figures;
  return typeof figures === 'string' ? undefined : figures;
}

const divide = (value: number | undefined, by: number | undefined) =>
  value === undefined || by === undefined ? undefined : value / by;

const atMost = (text: string, value: number | undefined, bound: number): Target => ({
  text,
  value,
  bound,
  isMaximum: true,
});
const atLeast = (text: string, value: number | undefined, bound: number): Target => ({
  text,
  value,
  bound,
  isMaximum: false,
});

function listGatewayTargets({ rows }: GatewayReport): Target[] {
  const own = findFigures(rows, 'Perigee');
  const relay = findFigures(rows, 'relay');
  const portkey = findFigures(rows, 'Portkey');
  return [
    atMost('CPU per JSON request ÷ bare relay', divide(own?.cpuPerJsonRequest, relay?.cpuPerJsonRequest), 2),
    atMost('CPU per paced event ÷ bare relay', divide(own?.cpuPerPacedEvent, relay?.cpuPerPacedEvent), 1.25),
    atLeast(
      'requests per CPU second ÷ Portkey',
      divide(portkey?.cpuPerJsonRequest, own?.cpuPerJsonRequest),
      5,
    ),
    atMost('memory per idle stream, KB', own?.kbPerIdleStream, 45),
    atLeast('open streams', own?.streamsHeld, 5_000),
    atMost('added to the first byte, p99, ms', own?.addedP99Ms, 2),
  ];
}

function listEngineTargets({ rows }: EngineReport): Target[] {
  const own: EngineFigures = findFigures(rows, 'Perigee, child process') ?? {};
  const http: EngineFigures = findFigures(rows, 'Perigee, HTTP') ?? {};
  const yardstick: EngineFigures = findFigures(rows, 'llama-server') ?? {};
  return [
    atLeast('8 streams ÷ llama-server', divide(own.eightStreams, yardstick.eightStreams), 1),
    atLeast('one stream ÷ llama-server', divide(own.oneStream, yardstick.oneStream), 0.95),
    atLeast('cold ÷ hot first token', own.hotSpeedup, 25),
    atMost('longest stall, ms', own.stallMs, 150),
    atMost('abort until free, ms', own.abortMs, 50),
    atLeast('constrained ÷ free decoding', own.constrained, 0.85),
    atMost('event loop of the server, p99, ms', http.loopP99Ms, 10),
  ];
}

function listCachingTargets(report: CachingReport): Target[] {
  const middle = report.firstTokens.find(({ tokens }) => tokens === 2_000);
  return [
    atLeast('2,000 tokens: cold ÷ beginning in memory', divide(middle?.coldMs, middle?.memoryMs), 25),
    atLeast('2,000 tokens: cold ÷ read back', divide(middle?.coldMs, middle?.restoredMs), 20),
    atMost('8 requests at once on one prefix: prompts computed', report.sharedPrefills, 1.15),
    atMost('requests that share nothing: time with caching ÷ without', report.overhead, 1.02),
    atMost('charge, from the ledger: prompt in a context cache ÷ computed', report.objectPriceRatio, 0.1),
    atMost('charge, from the ledger: prompt reused by itself ÷ computed', report.automaticPriceRatio, 0.15),
  ];
}
