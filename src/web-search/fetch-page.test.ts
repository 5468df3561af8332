import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type LoopbackHost, startHost } from '../egress/__fixtures__/loopback-host.ts';
import { createEgress } from '../egress/create-egress.ts';
import { makeDocx, paragraph } from '../extract/__fixtures__/make-office.ts';
import { chineseFont, makePdf, ucs2 } from '../extract/__fixtures__/make-pdf.ts';
import { createExtractor, pageExtractorDefaults } from '../extract/create-extractor.ts';
import { createPageReader, type PageReaderOptions } from './fetch-page.ts';
import type { PageReader } from './search-backend.ts';

const never = new AbortController().signal;

function openReader(options: Partial<PageReaderOptions> = {}): PageReader {
  const egress = createEgress({ allowHosts: ['127.0.0.1:*'], ports: [80, 443], userAgent: 'Perigee' });
  const extractor = createExtractor({ ...pageExtractorDefaults, threads: 1 });
  onTestFinished(async () => {
    await egress.close();
    await extractor.close();
  });
  return createPageReader({
    egress,
    extractor,
    robotsName: 'Perigee',
    cacheMs: 60_000,
    cacheBytesMax: 1_000_000,
    ...options,
  });
}

/** A site whose robots.txt is `robots`, or none. */
async function startSite(listener: RequestListener, robots?: string): Promise<LoopbackHost> {
  return await startHost((request, response) => {
    if (request.url !== '/robots.txt') listener(request, response);
    else if (robots === undefined) response.writeHead(404).end('<html>none</html>');
    else response.end(robots);
  });
}

const serve =
  (
    body: string | Uint8Array,
    headers: Record<string, string> = { 'content-type': 'text/html' },
  ): RequestListener =>
  (_request, response) =>
    response.writeHead(200, headers).end(body);

const article = `<html lang="en"><head><title>Periwinkles</title><meta name="date" content="2024-05-06"></head><body>
  <article><h1>Periwinkles</h1><p>${'They have five petals. '.repeat(30)}</p></article></body></html>`;

/** GBK bytes of 长春花属的花有五个花瓣，颜色各不相同。 */
const gbkHex = 'b3a4b4babba8caf4b5c4bba8d3d0cee5b8f6bba8b0eaa3acd1d5c9abb8f7b2bbcfe0cdaca1a3';

describe('a page', () => {
  it('is read with title, text, date, address and times', async () => {
    const site = await startSite((request, response) => {
      if (request.url === '/old') response.writeHead(301, { location: '/new' }).end();
      else serve(article)(request, response);
    });
    expect(await openReader().read(`${site.origin}/old`, never)).toEqual({
      isRead: true,
      page: {
        title: 'Periwinkles',
        text: expect.stringMatching(/^(They have five petals\.\s*){30}$/),
        publishedAt: '2024-05-06',
        url: `${site.origin}/new`,
      },
      timing: { fetchMs: expect.any(Number), extractMs: expect.any(Number) },
    });
  });

  it.each([
    ['PDF', makePdf([[ucs2('长春花')]], { font: chineseFont('UniGB-UCS2-H') }), 'application/pdf', '长春花'],
    ['PDF that is called binary', makePdf([['(Flowers)']]), 'application/octet-stream', 'Flowers'],
    ['Word', makeDocx(paragraph('Flowers')), 'application/msword', 'Flowers'],
    ['plain text', Buffer.from('Flowers'), 'text/plain', 'Flowers'],
  ])('in %s is read', async (_, bytes, mediaType, text) => {
    const site = await startSite(serve(bytes, { 'content-type': mediaType }));
    expect(await openReader().read(site.origin, never)).toMatchObject({ isRead: true, page: { text } });
  });

  it('with a wrong character set is read as what it is', async () => {
    const bytes = Buffer.concat([
      Buffer.from('<html><head><meta charset="utf-8"></head><body><p>'),
      Buffer.from(gbkHex.repeat(4), 'hex'),
    ]);
    const site = await startSite(serve(bytes, { 'content-type': 'text/html; charset=utf-8' }));
    const reading = await openReader().read(site.origin, never);
    expect(reading).toMatchObject({
      isRead: true,
      page: { text: '长春花属的花有五个花瓣，颜色各不相同。'.repeat(4) },
    });
  });

  it.each([
    ['without text', serve('<html><body><script>app()</script></body></html>'), 'no_text'],
    [
      'of pixels',
      serve(Buffer.from('89504e470d0a1a0a00', 'hex'), { 'content-type': 'image/png' }),
      'unsupported_type',
    ],
    ['that is gone', (_request, response) => response.writeHead(404).end(article), 'unreachable'],
    [
      'that redirects to a private address',
      (_request, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
      'forbidden_address',
    ],
    [
      'that redirects for ever',
      (_request, response) => response.writeHead(302, { location: '/again' }).end(),
      'unreachable',
    ],
    [
      'that is a compressed bomb',
      serve(gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' }),
      'too_large',
    ],
    ['that is huge', serve(Buffer.alloc(5_100_000, 'x')), 'too_large'],
    [
      'that breaks off',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('half', () => response.destroy());
      },
      'unreachable',
    ],
  ] satisfies [string, RequestListener, string][])(
    '%s is a failure with its reason',
    async (_, listener, failure) => {
      const site = await startSite(listener);
      expect(await openReader().read(site.origin, never)).toEqual({
        isRead: false,
        failure,
        detail: expect.stringMatching(/^\S.{10,}\.$/),
      });
    },
  );

  it.each([
    'http://169.254.169.254/latest',
    'http://[::1]/',
    'file:///etc/passwd',
    'http://a:b@example.org/',
    'no address',
  ])('at %s is not asked', async (url) => {
    expect(await openReader().read(url, never)).toMatchObject({
      isRead: false,
      failure: 'forbidden_address',
    });
  });

  it('that is slow ends with its caller’s reason', async () => {
    const controller = new AbortController();
    const site = await startSite(() => controller.abort(new Error('the turn is over')));
    await expect(openReader().read(site.origin, controller.signal)).rejects.toThrow('the turn is over');
  });
});

describe('robots.txt', () => {
  it('is asked once for a site, and kept to', async () => {
    const site = await startSite(
      serve(article),
      'User-agent: *\nDisallow: /private\n\nUser-agent: Perigee\nDisallow: /not-us',
    );
    const reader = openReader();
    expect(await reader.read(`${site.origin}/not-us/a`, never)).toMatchObject({
      isRead: false,
      failure: 'robots',
    });
    expect(await reader.read(`${site.origin}/private`, never)).toMatchObject({ isRead: true });
    expect(site.requests.map(({ url }) => url)).toEqual(['/robots.txt', '/private']);
  });

  it('of the site that a redirect leads to is kept to as well', async () => {
    const inner = await startSite(serve(article), 'User-agent: *\nDisallow: /');
    const outer = await startSite((_request, response) =>
      response.writeHead(302, { location: inner.origin }).end(),
    );
    expect(await openReader().read(outer.origin, never)).toMatchObject({ isRead: false, failure: 'robots' });
  });

  it('that cannot be had because the server fails allows nothing', async () => {
    const site = await startHost((request, response) =>
      request.url === '/robots.txt' ? response.writeHead(503).end() : serve(article)(request, response),
    );
    expect(await openReader().read(site.origin, never)).toMatchObject({ isRead: false, failure: 'robots' });
  });
});

describe('pages that are asked for at the same time', () => {
  it('are fetched once, and so is their robots.txt', async () => {
    const site = await startSite(serve(article), 'User-agent: *\nAllow: /');
    const reader = openReader();
    const readings = await Promise.all(
      ['/a', '/a#part', '/b', '/a'].map((path) => reader.read(`${site.origin}${path}`, never)),
    );
    expect(readings.map(({ isRead }) => isRead)).toEqual([true, true, true, true]);
    expect(site.requests.map(({ url }) => url).sort()).toEqual(['/a', '/b', '/robots.txt']);
  });

  it('are given to who still waits when another leaves', async () => {
    const isAsked = Promise.withResolvers<void>();
    const isAnswered = Promise.withResolvers<void>();
    const site = await startSite((request, response) => {
      isAsked.resolve();
      void isAnswered.promise.then(() => serve(article)(request, response));
    });
    const reader = openReader();
    const leaving = new AbortController();
    const left = reader.read(site.origin, leaving.signal);
    const waiting = reader.read(site.origin, never);
    await isAsked.promise;
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    isAnswered.resolve();
    expect(await waiting).toMatchObject({ isRead: true });
  });
});

describe('the cache', () => {
  it('gives a page again without asking, until its time is over', async () => {
    const site = await startSite(serve(article));
    const reader = openReader();
    await reader.read(site.origin, never);
    expect(await reader.read(`${site.origin}/#part`, never)).toMatchObject({
      isRead: true,
      timing: { fetchMs: 0, extractMs: 0 },
    });
    expect(site.requests).toHaveLength(2);
    const forgetful = openReader({ cacheMs: 1 });
    await forgetful.read(site.origin, never);
    // The cache reads the same clock, so this is no wait but a condition.
    const readAt = performance.now();
    while (performance.now() - readAt < 5);
    await forgetful.read(site.origin, never);
    expect(site.requests.filter(({ url }) => url === '/')).toHaveLength(3);
  });

  it('holds no more than it may', async () => {
    const site = await startSite(serve(article));
    const reader = openReader({ cacheBytesMax: 4_000 });
    await reader.read(`${site.origin}/a`, never);
    await reader.read(`${site.origin}/b`, never);
    await reader.read(`${site.origin}/a`, never);
    expect(site.requests.filter(({ url }) => url === '/a')).toHaveLength(2);
  });
});
