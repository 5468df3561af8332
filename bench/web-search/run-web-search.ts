/**
 * The web search benchmark: where the time of a search turn goes, with the default model; and whether 50 turns at once
 * block the server's event loop, with a model that answers at once, so that nothing but the searches is in the way.
 */
import type { ObtainedModel } from '../../src/models/obtain-model.ts';
import type { SearchReport } from '../../src/web-search/web-search.ts';
import type { EventLoopDelay } from '../engine/watch-event-loop.ts';
import { formatNumber, median, quantile } from '../statistics.ts';
import { type LoopbackWeb, startLoopbackWeb } from './loopback-web.ts';
import { type SearchingServer, startSearchingServer, type TurnTimes } from './searching-server.ts';

export interface WebSearchBenchReport {
  readonly model: string;
  readonly split: SearchSplit;
  readonly parallel: ParallelFigures;
}

/** Medians in milliseconds. */
interface SearchSplit {
  /** The model writes the query; everything of the first turn that is not the search itself. */
  readonly query: number;
  readonly search: number;
  /** Of the slowest page of each search, as `extract`. */
  readonly fetch: number;
  readonly extract: number;
  /** Passages chosen, counted and stored. */
  readonly excerpt: number;
  /** From the echo to the first words of the answer. */
  readonly prompt: number;
  /** Tokens of the sources. */
  readonly tokens: number;
}

interface ParallelFigures {
  readonly turns: number;
  readonly loop: EventLoopDelay;
  readonly searchTurnP50Ms: number;
  readonly searchTurnP99Ms: number;
  /** Pages that did not come in time, of all searches together: their snippets were taken. */
  readonly pagesUnread: number;
}

const splitTurns = 3;
const parallelTurns = 50;
const question = 'What is context caching, and what does it cost?';
const loopTargetMs = 20;

/** `report` gets a line per step. */
export async function runWebSearchBench(
  model: ObtainedModel,
  report: (line: string) => void,
): Promise<WebSearchBenchReport> {
  const web = await startLoopbackWeb();
  try {
    const parallel = await withServer(web, undefined, (server) => measureParallel(server, report));
    const split = await withServer(web, model.path, (server) => measureSplit(server, report));
    return { model: model.weights, split, parallel };
  } finally {
    web.close();
  }
}

async function withServer<Result>(
  web: LoopbackWeb,
  modelPath: string | undefined,
  work: (server: SearchingServer) => Promise<Result>,
): Promise<Result> {
  const server = await startSearchingServer({
    webOrigin: web.origin,
    ...(modelPath !== undefined && { modelPath }),
  });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function measureSplit(server: SearchingServer, report: (line: string) => void): Promise<SearchSplit> {
  // Once unmeasured: threads start and code is compiled then.
  await server.askOnce(question);
  const times: TurnTimes[] = [];
  for (let turn = 1; turn <= splitTurns; turn += 1) {
    times.push(await server.askOnce(question));
    report(`search turn ${turn} of ${splitTurns} done`);
  }
  const searches = (await server.readReports(splitTurns + 1)).slice(1);
  const of = (part: keyof SearchReport['durations']) =>
    median(searches.map(({ durations }) => durations[part]));
  const querying = searches.map(({ durations }, index) => {
    const reading = durations.fetch + durations.extract;
    return (times[index]?.searchTurnMs ?? Number.NaN) - durations.search - reading - durations.excerpt;
  });
  return {
    query: median(querying),
    search: of('search'),
    fetch: of('fetch'),
    extract: of('extract'),
    excerpt: of('excerpt'),
    prompt: median(times.map(({ firstTokenMs }) => firstTokenMs)),
    tokens: median(searches.map(({ tokens }) => tokens)),
  };
}

async function measureParallel(
  server: SearchingServer,
  report: (line: string) => void,
): Promise<ParallelFigures> {
  const askAll = () => Promise.all(Array.from({ length: parallelTurns }, () => server.askOnce(question)));
  // Once unmeasured, as above.
  await askAll();
  await server.readDelay();
  const times = await askAll();
  const loop = await server.readDelay();
  report(`${parallelTurns} search turns at once: ${JSON.stringify(loop)}`);
  const searches = (await server.readReports(2 * parallelTurns)).slice(parallelTurns);
  const turns = times.map(({ searchTurnMs }) => searchTurnMs);
  return {
    turns: parallelTurns,
    loop,
    searchTurnP50Ms: quantile(turns, 0.5),
    searchTurnP99Ms: quantile(turns, 0.99),
    pagesUnread: searches.reduce((count, { pageFailures }) => count + pageFailures.length, 0),
  };
}

/** The section of results.md, without its heading and machine. */
export function renderWebSearch({ model, split, parallel }: WebSearchBenchReport): readonly string[] {
  const { loop } = parallel;
  const verdictOf = (measuredMs: number) => (measuredMs <= loopTargetMs ? 'met' : '**missed**');
  return [
    `A search over a SearXNG-shaped service and five pages of 25 KB, all on the loopback interface. The first table with ${model}, one turn at a time; fetch and extract are those of the slowest page. The second with an upstream that answers at once: ${parallel.turns} questions, their searches and their answers, all at the same time. Who asks, the pages, the threads that read them and the server share the machine’s cores: the loop is late when it waits for one, and held when the server’s own code is on it.`,
    [
      '| query written, ms | search, ms | fetch, ms | extract, ms | passages chosen, ms | prompt to first token, ms | tokens of the sources |',
      '| ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
      `| ${[split.query, split.search, split.fetch, split.extract, split.excerpt, split.prompt, split.tokens].map(formatNumber).join(' | ')} |`,
    ].join('\n'),
    [
      '| turns at once | search turn p50, ms | search turn p99, ms | pages unread | event loop late p99, ms | event loop late max, ms | event loop held max, ms of CPU |',
      '| ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
      `| ${[parallel.turns, parallel.searchTurnP50Ms, parallel.searchTurnP99Ms, parallel.pagesUnread, loop.p99Ms, loop.maxMs, loop.heldMaxMs].map(formatNumber).join(' | ')} |`,
    ].join('\n'),
    [
      '| target | measured | bound | |',
      '| --- | ---: | ---: | --- |',
      `| event loop held by the server’s own code at once, max, ms of CPU | ${formatNumber(loop.heldMaxMs)} | ≤ ${loopTargetMs} | ${verdictOf(loop.heldMaxMs)} |`,
      `| event loop late, max, ms | ${formatNumber(loop.maxMs)} | ≤ ${loopTargetMs} | ${verdictOf(loop.maxMs)} |`,
    ].join('\n'),
  ];
}
