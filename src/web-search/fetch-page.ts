/**
 * Reads one page for a search: robots.txt, the guarded fetch, the text in a worker thread, and a cache in front of it all.
 * Every failure of the page is a value; nothing here decides which pages are worth reading.
 */
import { LRUCache } from 'lru-cache';
import { type Egress, EgressError, type EgressFailure, type EgressResponse } from '../egress/egress.ts';
import {
  ExtractError,
  type ExtractedDocument,
  type ExtractFailure,
  type Extractor,
} from '../extract/document.ts';
import { createRobotsRules, type RobotsRules } from './robots-rules.ts';
import type { PageFailure, PageReader, PageReading } from './search-backend.ts';
import { createSharedWork } from './share-work.ts';
import { createTurnstile } from './turnstile.ts';

export interface PageReaderOptions {
  readonly egress: Egress;
  readonly extractor: Extractor;
  /** What robots.txt files know us by. */
  readonly robotsName: string;
  /** How long a page that was read is not fetched again. */
  readonly cacheMs: number;
  /** How much text the cache holds. */
  readonly cacheBytesMax: number;
}

/** What asked once and failed is not asked again for this long: a turn must not wait for the same dead host twice. */
const failureCacheMs = 60_000;
const pageBytesMax = 5_000_000;
/** Pages that are fetched or wait for a thread: what they hold of the memory is at most so many times a page. */
const openPagesMax = 64;
/** JavaScript strings take two bytes for a character beyond Latin-1. */
const bytesPerChar = 2;

const accept = 'text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.9,*/*;q=0.5';

export function createPageReader(options: PageReaderOptions): PageReader {
  const robots = createRobotsRules(options.egress, options.robotsName);
  const cache = new LRUCache<string, PageReading>({
    maxSize: options.cacheBytesMax,
    sizeCalculation: (reading) => 1_000 + (reading.isRead ? reading.page.text.length * bytesPerChar : 0),
  });
  const turnstile = createTurnstile({ insideMax: openPagesMax });
  const share = createSharedWork<PageReading>();
  return {
    async read(url, signal, rank = 0) {
      const key = URL.parse(url)?.href.replace(/#.*$/, '') ?? url;
      const known = cache.get(key);
      if (known !== undefined) return withoutTiming(known);
      return await share(key, signal, async (sharedSignal) => {
        const leave = await turnstile.enter(rank, sharedSignal);
        try {
          const reading = await readPage(url, { ...options, robots }, sharedSignal);
          cache.set(key, reading, { ttl: reading.isRead ? options.cacheMs : failureCacheMs });
          return reading;
        } finally {
          leave();
        }
      });
    },
  };
}

const withoutTiming = (reading: PageReading): PageReading =>
  reading.isRead ? { ...reading, timing: { fetchMs: 0, extractMs: 0 } } : reading;

interface ReadingParts extends PageReaderOptions {
  readonly robots: RobotsRules;
}

async function readPage(
  url: string,
  { egress, extractor, robots }: ReadingParts,
  signal: AbortSignal,
): Promise<PageReading> {
  const startedAt = performance.now();
  try {
    if (!(await robots.isAllowed(url, signal))) return robotsRefusal;
    const response = await egress.fetch({ url, signal, bytesMax: pageBytesMax, headers: { accept } });
    // Where the redirects ended is another page, perhaps of another site.
    if (response.url !== url && !(await robots.isAllowed(response.url, signal))) return robotsRefusal;
    if (response.status < 200 || response.status > 299) {
      return failed('unreachable', `The page answered with status ${response.status}.`);
    }
    const fetchedAt = performance.now();
    const document = await extract(extractor, response, signal);
    const timing = { fetchMs: fetchedAt - startedAt, extractMs: performance.now() - fetchedAt };
    return { isRead: true, page: describeDocument(document, response), timing };
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof EgressError) return failed(fetchFailures[thrown.failure], thrown.message);
    if (thrown instanceof ExtractError) return failed(extractFailures[thrown.failure], thrown.message);
    throw thrown;
  }
}

async function extract(
  extractor: Extractor,
  { bytes, headers, url }: EgressResponse,
  signal: AbortSignal,
): Promise<ExtractedDocument> {
  const mediaType = headers['content-type'];
  const name = URL.parse(url)?.pathname.split('/').at(-1);
  return await extractor.extract(
    {
      // A copy of its own memory: the thread takes it over, and small buffers share a pool.
      content: { bytes: new Uint8Array(bytes) },
      url,
      ...(name !== undefined && { name }),
      ...(mediaType !== undefined && { mediaType }),
    },
    signal,
  );
}

function describeDocument(
  { title, text, publishedAt }: ExtractedDocument,
  { url }: EgressResponse,
): Extract<PageReading, { readonly isRead: true }>['page'] {
  return { title, text, url, ...(publishedAt !== undefined && { publishedAt }) };
}

const failed = (failure: PageFailure, detail: string): PageReading => ({ isRead: false, failure, detail });

const robotsRefusal = failed('robots', 'The site’s robots.txt does not allow this page to be read.');

const fetchFailures: Readonly<Record<EgressFailure, PageFailure>> = {
  bad_url: 'forbidden_address',
  credentials: 'forbidden_address',
  forbidden_port: 'forbidden_address',
  forbidden_address: 'forbidden_address',
  unknown_host: 'unreachable',
  too_many_redirects: 'unreachable',
  too_large: 'too_large',
  timeout: 'timeout',
  bad_encoding: 'unreachable',
  unreachable: 'unreachable',
};

const extractFailures: Readonly<Record<ExtractFailure, PageFailure>> = {
  unsupported: 'unsupported_type',
  damaged: 'no_text',
  encrypted: 'no_text',
  no_text: 'no_text',
  too_large: 'too_large',
  too_costly: 'too_large',
};
