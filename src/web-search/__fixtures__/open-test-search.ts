/** Web search over a real SearXNG-shaped server and pages that are given, for tests of whole turns. */
import { onTestFinished } from 'vitest';
import { createFormulaService } from '../../chat/formula-service.ts';
import type { SearchPolicy } from '../../chat/plan-search.ts';
import { createToolLoop } from '../../chat/tool-loop.ts';
import { startHost } from '../../egress/__fixtures__/loopback-host.ts';
import { createEgress } from '../../egress/create-egress.ts';
import type { TestSearch } from '../../http/__fixtures__/create-test-app.ts';
import type { Store } from '../../store/store.ts';
import { createSearxngBackend } from '../backends/searxng.ts';
import { createDateFormula } from '../formulas/date-formula.ts';
import { createFetchFormula } from '../formulas/fetch-formula.ts';
import { createSearchFormula } from '../formulas/search-formula.ts';
import { PassageRanker } from '../passage-ranker.ts';
import type { PageReader } from '../search-backend.ts';
import { createSearchRecords } from '../search-records.ts';
import { createWebSearch } from '../web-search.ts';

export interface TestPage {
  readonly title: string;
  readonly url: string;
  readonly text: string;
  /** What the service shows of it. */
  readonly snippet?: string;
}

export const cachingPage: TestPage = {
  title: 'Context caching explained',
  url: 'https://docs.example/caching',
  text: 'Context caching keeps the computed prefix of a prompt. A later request that begins with it is cheaper.',
};
export const pricePage: TestPage = {
  title: 'Price list',
  url: 'https://docs.example/prices',
  text: 'A context cache costs 24 yuan for a million tokens when the caching begins.',
};

export interface OpenedSearch {
  /** For `openPlatformApp`. */
  readonly openSearch: (store: Store, now: () => number) => TestSearch;
  /** What the service was asked. */
  readonly queries: string[];
  /** From now on the service answers with this status. */
  setStatus(status: number): void;
}

export async function openTestSearch(
  pages: readonly TestPage[],
  options: {
    readonly policy?: Partial<SearchPolicy>;
    readonly reader?: PageReader;
    /** What the pages may take together. */
    readonly pagesMs?: number;
  } = {},
): Promise<OpenedSearch> {
  let status = 200;
  const queries: string[] = [];
  const service = await startHost((request, response) => {
    queries.push(new URL(request.url ?? '/', 'http://service').searchParams.get('q') ?? '');
    const results = pages.map(({ title, url, snippet = 'a snippet' }) => {
      return { title, url, content: snippet, engine: 'test' };
    });
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ query: '', results, unresponsive_engines: [] }));
  });
  const egress = createEgress({ allowHosts: [], ports: [80, 443], userAgent: 'test' });
  const ranker = new PassageRanker();
  onTestFinished(async () => {
    await Promise.all([egress.close(), ranker.close()]);
  });
  const reader = options.reader ?? createListReader(pages);
  const openSearch = (store: Store, now: () => number): TestSearch => {
    const webSearch = createWebSearch({
      backends: [createSearxngBackend({ egress, baseUrl: service.origin, timeoutMs: 5_000 })],
      pages: reader,
      records: createSearchRecords({ store, now, ttlMs: 3_600_000 }),
      ranker,
      limits: { resultsMax: 8, pagesMax: 5, searchMs: 10_000, pagesMs: options.pagesMs ?? 10_000 },
      now,
    });
    const policy: SearchPolicy = {
      policy: undefined,
      searchesMax: 3,
      tokensMax: 8_000,
      allowsToolsAfterSearch: true,
      ...options.policy,
    };
    return {
      toolLoop: createToolLoop({ webSearch, policy }),
      createFormulas: ({ models, meterTurn }) =>
        createFormulaService({
          formulas: [
            createSearchFormula(webSearch, async () => ({
              style: 'cited',
              tokensMax: 1_000,
              countTokens: async (text) => Math.ceil(text.length / 4),
            })),
            createFetchFormula(reader),
            createDateFormula(now),
          ],
          meterTurn,
          modelId: models.list()[0]?.id ?? '',
        }),
    };
  };
  return {
    openSearch,
    queries,
    setStatus: (value) => {
      status = value;
    },
  };
}

function createListReader(pages: readonly TestPage[]): PageReader {
  return {
    async read(url) {
      const page = pages.find((each) => each.url === url);
      if (page === undefined) return { isRead: false, failure: 'unreachable', detail: 'It is not there.' };
      return { isRead: true, page, timing: { fetchMs: 1, extractMs: 1 } };
    },
  };
}
