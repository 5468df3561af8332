import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHost } from '../../egress/__fixtures__/loopback-host.ts';
import { createEgress, type EgressOptions } from '../../egress/create-egress.ts';
import { makeDocx, paragraph } from '../../extract/__fixtures__/make-office.ts';
import { chineseFont, makePdf, ucs2 } from '../../extract/__fixtures__/make-pdf.ts';
import { createExtractor, pageExtractorDefaults } from '../../extract/create-extractor.ts';
import { createLocalBackend } from '../backends/local.ts';
import type { SearchResult } from '../search-backend.ts';
import { type CrawlOptions, crawlDefaults, crawlSite } from './crawl-site.ts';
import { documentationSource, indexDocumentation } from './index-documentation.ts';
import { folderDefaults, indexFolder } from './index-folder.ts';
import type { IndexCounts, IndexProgress } from './index-run.ts';
import { type LocalIndex, openLocalIndex } from './local-index.ts';

const never = new AbortController().signal;

async function makeFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'perigee-index-'));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

interface Bench {
  readonly index: LocalIndex;
  readonly dataDir: string;
  readonly progress: IndexProgress[];
  search(text: string): Promise<readonly SearchResult[]>;
  addFolder(folder: string): Promise<IndexCounts>;
  crawl(url: string, options?: Partial<CrawlOptions>): Promise<IndexCounts>;
}

async function openBench(egressOptions: Partial<EgressOptions> = {}): Promise<Bench> {
  const dataDir = await makeFolder();
  const index = openLocalIndex(dataDir);
  const extractor = createExtractor({ ...pageExtractorDefaults, threads: 1 });
  const egress = createEgress({
    allowHosts: [],
    ports: [80, 443],
    userAgent: 'Perigee',
    ...egressOptions,
  });
  onTestFinished(async () => {
    await Promise.all([index.close(), extractor.close(), egress.close()]);
  });
  const progress: IndexProgress[] = [];
  const parts = { index, extractor, signal: never, onProgress: (each: IndexProgress) => progress.push(each) };
  const backend = createLocalBackend(index);
  return {
    index,
    dataDir,
    progress,
    search: async (text) => await backend.search({ text, countMax: 5, language: undefined }, never),
    addFolder: async (folder) => await indexFolder(folder, folderDefaults, parts),
    crawl: async (url, options) =>
      await crawlSite(url, { ...crawlDefaults, ...options }, { ...parts, egress, robotsName: 'Perigee' }),
  };
}

const titlesOf = (results: readonly SearchResult[]): readonly string[] => results.map(({ title }) => title);

describe('an indexed folder', () => {
  const files = {
    'caching.md': '# Context caching\n\nA cache object keeps the computed state of a long prefix.',
    'flowers/长春花.txt': '长春花属的花有五个花瓣，颜色从白到深红不等，原产马达加斯加。',
    'page.html':
      '<html><head><title>Orbits</title></head><body><p>The perigee is the nearest point of an orbit.</p></body></html>',
    'report.docx': makeDocx(paragraph('Quarterly figures of the harbour.'), 'Harbour'),
    'scan.pdf': makePdf([[ucs2('紅樓夢第一回')]], { font: chineseFont('UniGB-UCS2-H'), title: 'Novel' }),
    'image.png': 'not indexed',
    '.hidden.md': 'not indexed',
    'node_modules/x/readme.md': 'not indexed',
  };

  it.each([
    ['what is a cache object?', 'Context caching'],
    ['Caches', 'Context caching'],
    ['nearest point in an orbit', 'Orbits'],
    ['长春花有几个花瓣', '长春花.txt'],
    ['马达加斯加的花', '长春花.txt'],
    ['紅樓夢', 'Novel'],
    ['HARBOUR "figures" AND NOT (x', 'Harbour'],
  ])('is found by %s', async (query, title) => {
    const bench = await openBench();
    expect(await bench.addFolder(await makeFolder(files))).toEqual({
      added: 5,
      unchanged: 0,
      skipped: 0,
      removed: 0,
    });
    const [best] = await bench.search(query);
    expect(best).toMatchObject({
      title,
      url: expect.stringMatching(/^local:\/\//),
      text: expect.any(String),
    });
  });

  it('has nothing for a question without words, or about something else', async () => {
    const bench = await openBench();
    await bench.addFolder(await makeFolder(files));
    expect(await bench.search('?!')).toEqual([]);
    expect(await bench.search('zebra')).toEqual([]);
  });

  it('is read again only where it has changed', async () => {
    const bench = await openBench();
    const folder = await makeFolder({ 'a.md': 'about apples', 'b.md': 'about pears', 'c.md': 'about plums' });
    await bench.addFolder(folder);
    await writeFile(path.join(folder, 'a.md'), 'about cherries');
    await utimes(path.join(folder, 'b.md'), new Date(), new Date(0));
    await rm(path.join(folder, 'c.md'));
    expect(await bench.addFolder(folder)).toEqual({ added: 1, unchanged: 1, skipped: 0, removed: 1 });
    expect(titlesOf(await bench.search('cherries'))).toEqual(['a.md']);
    expect(await bench.search('apples plums')).toEqual([]);
    expect(await bench.addFolder(folder)).toEqual({ added: 0, unchanged: 2, skipped: 0, removed: 0 });
  });

  it('says what it could not read, and goes on', async () => {
    const bench = await openBench();
    const folder = await makeFolder({ 'broken.pdf': '%PDF-1.4 broken', 'good.md': 'fine' });
    expect(await bench.addFolder(folder)).toMatchObject({ added: 1, skipped: 1 });
    expect(bench.progress[0]).toMatchObject({
      type: 'skipped',
      reason: 'The PDF file is damaged.',
      totalCount: 2,
    });
  });

  it('gives the passages of a long document that matter, in its order', async () => {
    const bench = await openBench();
    const filler = Array.from(
      { length: 60 },
      (_, index) => `Paragraph ${index} is about weather. ${'Rain. '.repeat(60)}`,
    );
    filler[10] = 'The lighthouse was built in 1821.';
    filler[50] = 'The lighthouse keeper left in 1934.';
    await bench.addFolder(await makeFolder({ 'long.md': filler.join('\n\n') }));
    const [found] = await bench.search('lighthouse');
    expect(found?.text).toMatch(/1821[\s\S]*1934/);
    expect(found?.text?.length).toBeLessThan(8_000);
  });

  it('shares its name with another, and neither loses a document', async () => {
    const bench = await openBench();
    const root = await makeFolder({ 'x/docs/a.md': 'about apples', 'y/docs/a.md': 'about pears' });
    await bench.addFolder(path.join(root, 'x/docs'));
    await bench.addFolder(path.join(root, 'y/docs'));
    expect((await bench.search('apples')).length + (await bench.search('pears')).length).toBe(2);
  });

  it('goes when its source is removed', async () => {
    const bench = await openBench();
    await bench.addFolder(await makeFolder({ 'a.md': 'about apples' }));
    const [source] = await bench.index.ask('listSources', {});
    expect(source).toMatchObject({ documentCount: 1, indexedAt: expect.any(Number) });
    expect(await bench.index.ask('removeSource', { source: source?.address ?? '' })).toBe(true);
    expect(await bench.index.ask('removeSource', { source: source?.address ?? '' })).toBe(false);
    expect(await bench.search('apples')).toEqual([]);
  });

  it('is seen by a server that has the index open while another process writes', async () => {
    const server = await openBench();
    expect(await server.search('apples')).toEqual([]);
    const command = openLocalIndex(server.dataDir);
    const document = {
      url: 'local://x/a',
      fingerprint: '1',
      contentHash: '2',
      links: [],
      title: 'A',
      text: 'apples',
      publishedAt: null,
    };
    await command.ask('putDocument', { source: 'x', document });
    await command.close();
    expect(titlesOf(await server.search('apples'))).toEqual(['A']);
  });
});

describe('an indexed site', () => {
  const page = (title: string, ...links: string[]): string =>
    `<html><head><title>${title}</title></head><body><p>This page is about ${title}.</p>${links.map((link) => `<a href="${link}">x</a>`).join(' ')}</body></html>`;
  const pages: Readonly<Record<string, string>> = {
    '/': page(
      'home',
      '/a',
      '/b?x=1#part',
      'https://elsewhere.example/',
      '/secret',
      '/logo.png',
      'mailto:a@b.c',
    ),
    '/a': page('apples', '/deep', '/'),
    '/b?x=1': page('pears'),
    '/deep': page('depths', '/deeper'),
    '/deeper': page('abyss'),
    '/secret': page('secrets'),
  };
  const serveSite: RequestListener = (request, response) => {
    const body = pages[request.url ?? ''];
    if (request.url === '/robots.txt') response.end('User-agent: *\nDisallow: /secret');
    else if (body === undefined) response.writeHead(404).end();
    else if (request.headers['if-none-match'] === `"${request.url}"`) response.writeHead(304).end();
    else response.writeHead(200, { 'content-type': 'text/html', etag: `"${request.url}"` }).end(body);
  };

  it('is followed on its own host, to its depth, as robots.txt allows', async () => {
    const bench = await openBench();
    const site = await startHost(serveSite);
    expect(await bench.crawl(`${site.origin}/`, { depthMax: 2 })).toEqual({
      added: 4,
      unchanged: 0,
      skipped: 1,
      removed: 0,
    });
    expect(site.requests.map(({ url }) => url)).toEqual(['/robots.txt', '/', '/a', '/b?x=1', '/deep']);
    expect(titlesOf(await bench.search('depths'))).toEqual(['depths']);
  });

  it('is fetched again only where it has changed', async () => {
    const bench = await openBench();
    const site = await startHost(serveSite);
    await bench.crawl(`${site.origin}/`, { depthMax: 2 });
    expect(await bench.crawl(`${site.origin}/`, { depthMax: 2 })).toMatchObject({
      added: 0,
      unchanged: 4,
      removed: 0,
    });
  });

  it('stops at its number of pages', async () => {
    const bench = await openBench();
    const site = await startHost(serveSite);
    expect(await bench.crawl(`${site.origin}/`, { pagesMax: 2 })).toMatchObject({ added: 2 });
  });

  it('is not left by redirects, and these lead to nothing that robots.txt keeps', async () => {
    const other = await startHost((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(page('strangers')),
    );
    const bench = await openBench({ ports: [other.port], allowHosts: ['127.0.0.1'] });
    const targets: Readonly<Record<string, string>> = {
      '/away': `${other.origin}/`,
      '/hidden': '/secret',
      '/moved': '/a',
    };
    const site = await startHost((request, response) => {
      const location = targets[request.url ?? ''];
      if (location !== undefined) response.writeHead(302, { location }).end();
      else if (request.url !== '/') serveSite(request, response);
      else
        response.writeHead(200, { 'content-type': 'text/html' }).end(page('home', ...Object.keys(targets)));
    });
    expect(await bench.crawl(`${site.origin}/`, { depthMax: 1 })).toMatchObject({ added: 2, skipped: 2 });
    expect(titlesOf(await bench.search('apples'))).toEqual(['apples']);
    expect(titlesOf(await bench.search('strangers secrets'))).toEqual([]);
    expect(bench.progress.flatMap(({ reason = [] }) => reason)).toEqual([
      'It leads to another site.',
      'The site’s robots.txt does not allow it.',
    ]);
  });

  it('that its first page leads to is judged as a stranger’s, page by page', async () => {
    const outside = await startHost((request, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html', connection: 'close' })
        .end(request.url === '/robots.txt' ? '' : page('outside', '/inner')),
    );
    const named = await startHost((request, response) =>
      request.url === '/robots.txt'
        ? response.writeHead(404).end()
        : response.writeHead(302, { location: `http://outside.example:${outside.port}/` }).end(),
    );
    let lookUps = 0;
    const bench = await openBench({
      ports: [outside.port],
      allowHosts: ['127.0.0.1'],
      // Its owner changes the name's address once the crawler has come.
      resolveHost: (_name, _options, callback) =>
        callback(null, [{ address: lookUps++ === 0 ? '127.0.0.1' : '10.0.0.1', family: 4 }]),
    });
    await bench.crawl(`${named.origin}/`);
    expect(outside.requests.map(({ url }) => url)).toEqual(['/']);
    expect(bench.progress.at(-1)).toMatchObject({
      type: 'skipped',
      url: `http://outside.example:${outside.port}/inner`,
      reason: expect.stringContaining('not on the public internet'),
    });
  });

  it('whose first page fails is an error, and nothing is lost', async () => {
    const bench = await openBench();
    let isDown = false;
    const site = await startHost((request, response) => {
      if (isDown && request.url !== '/robots.txt') response.writeHead(500).end();
      else serveSite(request, response);
    });
    await bench.crawl(`${site.origin}/`);
    isDown = true;
    await expect(bench.crawl(`${site.origin}/`)).rejects.toThrow('status 500');
    expect(titlesOf(await bench.search('apples'))).toEqual(['apples']);
  });
});

it('an index that could not be opened is opened at the next question', async () => {
  const dataDir = await makeFolder({
    'search-index.sqlite': 'No database, but long enough to be looked at. '.repeat(9),
  });
  const index = openLocalIndex(dataDir);
  onTestFinished(async () => await index.close());
  const second = await index.ask('listSources', {}).catch(async (error: unknown) => {
    expect(String(error)).toContain('not a database');
    // At once, while the thread that broke has yet to end.
    rmSync(path.join(dataDir, 'search-index.sqlite'));
    return await index.ask('listSources', {});
  });
  expect(second).toEqual([]);
});

it('Perigee’s own documentation answers a first question', async () => {
  const bench = await openBench();
  const extractor = createExtractor({ ...pageExtractorDefaults, threads: 1 });
  onTestFinished(async () => await extractor.close());
  const parts = { index: bench.index, extractor, signal: never };
  const first = await indexDocumentation(parts);
  expect(first?.added).toBeGreaterThan(5);
  expect(first?.skipped).toBe(0);
  const [best] = await bench.search('How do I configure an upstream vLLM engine?');
  expect(best?.url).toBe('local://perigee/engines.md');
  const [caching] = await bench.search('Moonshot AI Context Caching technology');
  expect(caching?.url).toBe('local://perigee/caching.md');
  // Records of decisions quote what was tried, questions among it.
  const documents = await bench.index.ask('listDocuments', { source: documentationSource });
  expect(documents.map(({ url }) => url).filter((url) => url.includes('decisions'))).toEqual([]);
  expect(await indexDocumentation(parts)).toEqual({ ...first, added: 0, unchanged: first?.added });
});
