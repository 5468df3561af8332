import { type Egress, EgressError, type EgressResponse } from '../../egress/egress.ts';
import { createRobotsRules } from '../robots-rules.ts';
import { beginIndexRun, type IndexCounts, type IndexParts, type IndexRun } from './index-run.ts';

export interface CrawlOptions {
  /** How many links away from the first page. */
  readonly depthMax: number;
  readonly pagesMax: number;
}

export const crawlDefaults = { depthMax: 3, pagesMax: 500 } as const;

export interface CrawlParts extends IndexParts {
  readonly egress: Egress;
  /** What robots.txt files know us by. */
  readonly robotsName: string;
}

const pageBytesMax = 20_000_000;
const pageMs = 20_000;
/** What a site is made of beside its pages. */
const assetPattern =
  /\.(?:png|jpe?g|gif|webp|avif|svg|ico|css|js|mjs|map|json|xml|rss|atom|zip|gz|tgz|bz2|xz|7z|rar|exe|dmg|iso|mp[34]|webm|mov|wav|ogg|woff2?|ttf|otf|eot)$/i;

interface Step {
  readonly url: string;
  readonly depth: number;
}

/**
 * Brings a site's pages into the index, from a first address that the operator named, never leaving its host, one page at a
 * time. A page that has not changed is not read again, but followed. Throws EgressError when the first page fails.
 */
export async function crawlSite(
  startUrl: string,
  options: CrawlOptions,
  parts: CrawlParts,
): Promise<IndexCounts> {
  const run = await beginIndexRun(startUrl, parts);
  const robots = createRobotsRules(parts.egress, parts.robotsName);
  const queue: Step[] = [{ url: startUrl, depth: 0 }];
  const seen = new Set([startUrl]);
  const namedOrigin = new URL(startUrl).origin;
  let origin = namedOrigin;
  let doneCount = 0;
  for (let step = queue.shift(); step !== undefined && doneCount < options.pagesMax; step = queue.shift()) {
    parts.signal.throwIfAborted();
    doneCount += 1;
    const isStart = step.depth === 0;
    // The operator named this origin, and not the one that it may have redirected to.
    const isTrusted = new URL(step.url).origin === namedOrigin;
    const visited = await visit(step.url, run, { ...parts, robots, isStart, isTrusted });
    // `http://example.org` often leads to `https://www.example.org`: that is the site, then.
    if (isStart) origin = new URL(visited.url).origin;
    seen.add(visited.url);
    if (step.depth >= options.depthMax) continue;
    for (const link of visited.links) {
      if (seen.has(link) || new URL(link).origin !== origin || assetPattern.test(new URL(link).pathname))
        continue;
      seen.add(link);
      queue.push({ url: link, depth: step.depth + 1 });
    }
    run.setTotal(Math.min(options.pagesMax, doneCount + queue.length));
  }
  return await run.finish();
}

interface VisitParts extends CrawlParts {
  readonly robots: ReturnType<typeof createRobotsRules>;
  readonly isStart: boolean;
  readonly isTrusted: boolean;
}

interface Visited {
  /** Where the redirects ended. */
  readonly url: string;
  readonly links: readonly string[];
}

async function visit(url: string, run: IndexRun, parts: VisitParts): Promise<Visited> {
  const before = run.known.get(url);
  /** What cannot be had today stays as it was yesterday. */
  const fail = (reason: string): Visited => {
    if (before === undefined) run.skip(url, reason);
    else run.keep(url);
    return { url, links: before?.links ?? [] };
  };
  try {
    if (!(await parts.robots.isAllowed(url, parts.signal, parts.isTrusted))) {
      run.skip(url, robotsRefusal);
      return { url, links: [] };
    }
    const answer = await parts.egress.fetch({
      url,
      signal: parts.signal,
      isTrusted: parts.isTrusted,
      bytesMax: pageBytesMax,
      timeoutMs: pageMs,
      headers: before === undefined ? {} : conditionOf(before.fingerprint),
    });
    if (answer.status === 304 && before !== undefined) {
      run.keep(url);
      return { url, links: before.links };
    }
    const refusal = await judgeRedirect(url, answer.url, parts);
    if (refusal !== undefined) {
      run.skip(url, refusal);
      return { url, links: [] };
    }
    if (answer.status >= 200 && answer.status < 300) return await addPage(answer, run);
    if (parts.isStart) throw new EgressError('unreachable', `${url} answered with status ${answer.status}.`);
    if (answer.status >= 500 || answer.status === 429)
      return fail(`It answered with status ${answer.status}.`);
    run.skip(url, `It answered with status ${answer.status}.`);
    return { url, links: [] };
  } catch (error) {
    if (!(error instanceof EgressError) || parts.isStart) throw error;
    return fail(error.message);
  }
}

const robotsRefusal = 'The site’s robots.txt does not allow it.';

/** Where the redirects of a page ended is another page, perhaps of another site. Undefined = it may be indexed. */
async function judgeRedirect(from: string, to: string, parts: VisitParts): Promise<string | undefined> {
  // The operator named the first page, wherever it leads.
  if (to === from || parts.isStart) return undefined;
  if (new URL(to).host !== new URL(from).host) return 'It leads to another site.';
  const isTrusted = parts.isTrusted && new URL(to).origin === new URL(from).origin;
  return (await parts.robots.isAllowed(to, parts.signal, isTrusted)) ? undefined : robotsRefusal;
}

async function addPage({ url, headers, bytes }: EgressResponse, run: IndexRun): Promise<Visited> {
  const { etag, 'last-modified': modified, 'content-type': mediaType } = headers;
  const links = await run.add({
    url,
    fingerprint: etag === undefined ? `modified ${modified ?? ''}` : `etag ${etag}`,
    bytes: new Uint8Array(bytes),
    labels: {
      url,
      name: new URL(url).pathname.split('/').at(-1) ?? '',
      ...(mediaType !== undefined && { mediaType }),
    },
    fallbackTitle: url,
  });
  return { url, links };
}

/** Headers by which a server says "not modified" (RFC 9110, section 13). */
function conditionOf(fingerprint: string): Record<string, string> {
  const [kind, ...rest] = fingerprint.split(' ');
  const value = rest.join(' ');
  if (value === '') return {};
  return kind === 'etag' ? { 'if-none-match': value } : { 'if-modified-since': value };
}
