import type { MeterTurn } from './billing/metered-turn.ts';
import { createFormulaService, type FormulaService } from './chat/formula-service.ts';
import { canModelDecide, smallModelTokensMax } from './chat/plan-search.ts';
import { createToolLoop, type ToolLoop } from './chat/tool-loop.ts';
import { ConfigError } from './config.ts';
import { createEgress } from './egress/create-egress.ts';
import type { Egress } from './egress/egress.ts';
import type { ModelDirectory } from './engines/registry.ts';
import { createExtractor, pageExtractorDefaults } from './extract/create-extractor.ts';
import type { Extractor } from './extract/document.ts';
import type { HttpLogger } from './http/http-dependencies.ts';
import type { TurnLimiter } from './limits/turn-limiter.ts';
import { searchBackendIds } from './search-settings.ts';
import type { Config } from './settings.ts';
import type { Store } from './store/store.ts';
import { version } from './version.ts';
import { braveUrl, createBraveBackend } from './web-search/backends/brave.ts';
import { createExaBackend, exaUrl } from './web-search/backends/exa.ts';
import { createLocalBackend } from './web-search/backends/local.ts';
import { createSearxngBackend } from './web-search/backends/searxng.ts';
import { createTavilyBackend, tavilyUrl } from './web-search/backends/tavily.ts';
import { createPageReader } from './web-search/fetch-page.ts';
import { createDateFormula } from './web-search/formulas/date-formula.ts';
import { createFetchFormula } from './web-search/formulas/fetch-formula.ts';
import { createSearchFormula } from './web-search/formulas/search-formula.ts';
import { indexDocumentation } from './web-search/local/index-documentation.ts';
import { type LocalIndex, openLocalIndex } from './web-search/local/local-index.ts';
import { PassageRanker } from './web-search/passage-ranker.ts';
import { createBackendProbe, type ProbeBackends } from './web-search/probe-backends.ts';
import type { PageReader, SearchBackend } from './web-search/search-backend.ts';
import { createSearchRecords } from './web-search/search-records.ts';
import { createWebSearch, type SearchReport, type WebSearch } from './web-search/web-search.ts';

export interface WebSearchParts {
  readonly config: Config;
  readonly clock: { now(): number };
  readonly logger: Pick<HttpLogger, 'info' | 'warn'>;
}

export interface BuiltWebSearch {
  readonly toolLoop: ToolLoop;
  /** For administrators. */
  readonly probeBackends: ProbeBackends;
  /** The official tools, with the money around them. */
  createFormulas(options: FormulaParts): FormulaService;
  close(): Promise<void>;
}

export interface FormulaParts {
  readonly models: ModelDirectory;
  readonly meterTurn: MeterTurn;
  readonly admitTurn: TurnLimiter['admit'];
}

/** What servers and robots.txt files know us by. */
const productName = 'Perigee';
const pageCache = { cacheMs: 15 * 60_000, cacheBytesMax: 64_000_000 } as const;

/** Web search over a store. `checkSearchBackends` has seen to it that every backend that is named can be asked. */
export function buildWebSearch(store: Store, parts: WebSearchParts): BuiltWebSearch {
  const { config, clock } = parts;
  const egress = createEgress({
    allowHosts: config.egressAllowHosts,
    ports: config.egressPorts,
    userAgent: `${productName}/${version}`,
  });
  const extractor = createExtractor(pageExtractorDefaults);
  const pages = createPageReader({ ...pageCache, egress, extractor, robotsName: productName });
  const ranker = new PassageRanker();
  const localIndex = openLocalIndex(config.dataDir);
  const documentation = indexInBackground({ index: localIndex, extractor }, parts.logger);
  const backends = createBackends({ config, egress, localIndex });
  const searchMs = config.webSearchSeconds * 1_000;
  const webSearch = createWebSearch({
    backends,
    pages,
    ranker,
    records: createSearchRecords({ store, now: clock.now, ttlMs: config.webSearchTtlSeconds * 1_000 }),
    limits: {
      resultsMax: config.webSearchResultsMax,
      pagesMax: config.webSearchPagesMax,
      searchMs,
      pagesMs: config.webSearchPageSeconds * 1_000,
    },
    now: clock.now,
    onSearch: (report) => logSearch(parts.logger, report),
  });
  return {
    toolLoop: createToolLoop({
      webSearch,
      policy: {
        policy: config.webSearchPolicy,
        searchesMax: config.webSearchesMax,
        tokensMax: config.webSearchTokensMax,
        allowsToolsAfterSearch: config.webSearchAllowTools,
      },
    }),
    probeBackends: createBackendProbe(backends, { searchMs }),
    createFormulas: (options) => createFormulas({ ...options, config, clock, webSearch, pages }),
    close: async () => {
      await documentation.stop();
      await Promise.all([egress.close(), extractor.close(), ranker.close(), localIndex.close()]);
    },
  };
}

type BackendId = (typeof searchBackendIds)[number];

interface BackendParts {
  readonly config: Config;
  readonly egress: Egress;
  readonly localIndex: LocalIndex;
}

function createBackends(parts: BackendParts): readonly SearchBackend[] {
  return (parts.config.webSearchBackends ?? searchBackendIds).flatMap((id) => {
    const backend = createBackend(id, parts);
    return backend === undefined ? [] : [backend];
  });
}

/** Throws ConfigError for a backend that is named and has no address or key. */
export function checkSearchBackends(config: Config): void {
  const given = {
    searxng: config.searxngUrl,
    brave: config.braveApiKey,
    tavily: config.tavilyApiKey,
    exa: config.exaApiKey,
    local: 'always there',
  } satisfies Record<BackendId, string | undefined>;
  for (const id of config.webSearchBackends ?? []) {
    if (given[id] !== undefined) continue;
    const missing = id === 'searxng' ? 'address (`searxng_url`)' : `key (\`${id}_api_key\`)`;
    throw new ConfigError(`web_search_backends names \`${id}\`, which has no ${missing}.`);
  }
}

/** Undefined without the address or key that it needs. */
function createBackend(
  id: BackendId,
  { config, egress, localIndex }: BackendParts,
): SearchBackend | undefined {
  const service = { egress, timeoutMs: config.webSearchSeconds * 1_000 };
  switch (id) {
    case 'searxng': {
      const baseUrl = config.searxngUrl;
      return baseUrl === undefined ? undefined : createSearxngBackend({ ...service, baseUrl });
    }
    case 'brave': {
      const apiKey = config.braveApiKey;
      return apiKey === undefined ? undefined : createBraveBackend({ ...service, baseUrl: braveUrl, apiKey });
    }
    case 'tavily': {
      const apiKey = config.tavilyApiKey;
      return apiKey === undefined
        ? undefined
        : createTavilyBackend({ ...service, baseUrl: tavilyUrl, apiKey });
    }
    case 'exa': {
      const apiKey = config.exaApiKey;
      return apiKey === undefined ? undefined : createExaBackend({ ...service, baseUrl: exaUrl, apiKey });
    }
    case 'local':
      return createLocalBackend(localIndex);
    default:
      return id satisfies never;
  }
}

interface BackgroundIndexing {
  /** Ends it where it is: what was indexed is kept, the rest follows at the next start. */
  stop(): Promise<void>;
}

/** So that a first search finds something; nobody waits for it, and nothing fails with it. */
function indexInBackground(
  parts: { readonly index: LocalIndex; readonly extractor: Extractor },
  logger: WebSearchParts['logger'],
): BackgroundIndexing {
  const controller = new AbortController();
  const indexing = indexDocumentation({ ...parts, signal: controller.signal }).catch((error: unknown) => {
    if (!controller.signal.aborted) logger.warn({ err: error }, 'the documentation could not be indexed');
  });
  return {
    async stop() {
      controller.abort();
      await indexing;
    },
  };
}

/** Failures of services and pages are the operator's business: a search that had some is worth a warning. */
function logSearch(logger: WebSearchParts['logger'], report: SearchReport): void {
  if (report.backendFailures.length > 0) logger.warn(report, 'a search service could not answer');
  else logger.info(report, 'the web was searched');
}

interface FormulaTools extends FormulaParts, Omit<WebSearchParts, 'logger'> {
  readonly webSearch: WebSearch;
  readonly pages: PageReader;
}

function createFormulas(tools: FormulaTools): FormulaService {
  const { models, meterTurn, admitTurn, config, clock, webSearch, pages } = tools;
  const [model] = models.list();
  if (model === undefined) throw new Error('No model is served.');
  const { engine } = model;
  const search = createSearchFormula(webSearch, async (signal) => {
    await engine.whenLoaded?.(signal);
    const backing = engine.backing();
    // A quarter of the window: the conversation is not known yet.
    const windowShare = Math.floor(backing.contextTokens / 4);
    const isDecider = canModelDecide(backing);
    const modelMax = isDecider ? windowShare : Math.min(windowShare, smallModelTokensMax);
    return {
      style: isDecider ? 'cited' : 'brief',
      tokensMax: Math.min(config.webSearchTokensMax, modelMax),
      countTokens: (text) => engine.countText(text, signal),
    };
  });
  return createFormulaService({
    formulas: [search, createFetchFormula(pages), createDateFormula(clock.now)],
    meterTurn,
    admitTurn,
    modelId: model.id,
  });
}
