import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHost } from '../../egress/__fixtures__/loopback-host.ts';
import { createEgress } from '../../egress/create-egress.ts';
import type { SearchBackend, SearchBackendError } from '../search-backend.ts';
import { createBraveBackend } from './brave.ts';
import { createExaBackend } from './exa.ts';
import type { SearchServiceOptions } from './request-json.ts';
import { createSearxngBackend } from './searxng.ts';
import { createTavilyBackend } from './tavily.ts';

const query = { text: 'context caching', countMax: 5, language: 'zh' } as const;
const apiKey = 'the-key';

interface ServiceAnswer {
  readonly status?: number;
  readonly body: unknown;
}

/** Starts a service that answers like that, and asks the backend once. */
async function ask(
  create: (options: SearchServiceOptions) => SearchBackend,
  { status = 200, body }: ServiceAnswer,
) {
  let sent = '';
  const service = await startHost((request: IncomingMessage, response) => {
    void text(request).then((received) => {
      sent = received;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  const egress = createEgress({ allowHosts: [], ports: [443], userAgent: 'test' });
  onTestFinished(() => egress.close());
  const backend = create({ egress, baseUrl: service.origin, timeoutMs: 5_000 });
  const answer = backend.search(query, new AbortController().signal);
  const results = await answer.catch((error: SearchBackendError) => error.failure);
  const [request] = service.requests;
  return { results, url: new URL(request?.url ?? '', service.origin), headers: request?.headers, sent };
}

describe('SearXNG', () => {
  it('is asked for JSON and read in its own words', async () => {
    const body = {
      query: 'context caching',
      number_of_results: 0,
      results: [
        {
          url: 'https://a.example/',
          title: 'A',
          content: 'about a',
          publishedDate: '2026-01-02T00:00:00',
          engine: 'x',
          score: 2,
        },
        { url: 'javascript:alert(1)', title: 'no address' },
        { url: 'https://user:secret@c.example/', title: 'behind a password' },
        { url: 'https://b.example/b', title: '', content: null, publishedDate: null },
      ],
      answers: [],
      unresponsive_engines: [['y', 'timeout']],
    };
    const { results, url } = await ask(createSearxngBackend, { body });
    expect(url.pathname + url.search).toBe('/search?q=context+caching&format=json&language=zh');
    expect(results).toEqual([
      { url: 'https://a.example/', title: 'A', snippet: 'about a', publishedAt: '2026-01-02' },
      { url: 'https://b.example/b', title: 'b.example', snippet: '' },
    ]);
  });
});

describe('Brave', () => {
  it('gets its key in its header, and its marks are taken out', async () => {
    const body = {
      type: 'search',
      web: {
        type: 'search',
        results: [
          {
            title: 'A &amp; B',
            url: 'https://a.example/',
            description: '<strong>Context</strong> caching',
            age: '3 days ago',
            page_age: '2026-03-04T05:06:07',
            extra_snippets: ['and more'],
          },
        ],
      },
    };
    const { results, url, headers } = await ask((options) => createBraveBackend({ ...options, apiKey }), {
      body,
    });
    expect(headers?.['x-subscription-token']).toBe(apiKey);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ q: 'context caching', count: '5' });
    expect(results).toEqual([
      {
        title: 'A & B',
        url: 'https://a.example/',
        snippet: 'Context caching and more',
        publishedAt: '2026-03-04',
      },
    ]);
  });

  it('may find nothing', async () => {
    const { results } = await ask((options) => createBraveBackend({ ...options, apiKey }), {
      body: { type: 'search' },
    });
    expect(results).toEqual([]);
  });
});

describe('Tavily', () => {
  it('gets a bearer key, and sends the text of the pages along', async () => {
    const result = {
      title: 'A',
      url: 'https://a.example/',
      content: 'short',
      raw_content: 'the whole text',
      score: 0.9,
    };
    const body = { query: 'q', results: [result, { ...result, raw_content: null }], response_time: 1.2 };
    const { results, headers, sent } = await ask((options) => createTavilyBackend({ ...options, apiKey }), {
      body,
    });
    expect(headers?.authorization).toBe('Bearer the-key');
    expect(JSON.parse(sent)).toMatchObject({
      query: 'context caching',
      max_results: 5,
      include_raw_content: 'text',
    });
    expect(results).toEqual([
      { title: 'A', url: 'https://a.example/', snippet: 'short', text: 'the whole text' },
      { title: 'A', url: 'https://a.example/', snippet: 'short' },
    ]);
  });
});

describe('Exa', () => {
  it('gets its key in its header, and sends the text of the pages along', async () => {
    const body = {
      requestId: 'r',
      results: [
        {
          id: 'x',
          title: null,
          url: 'https://a.example/',
          publishedDate: '2026-01-02T03:04:05.000Z',
          text: 'the text',
        },
      ],
    };
    const { results, headers, sent } = await ask((options) => createExaBackend({ ...options, apiKey }), {
      body,
    });
    expect(headers?.['x-api-key']).toBe(apiKey);
    expect(JSON.parse(sent)).toMatchObject({ query: 'context caching', numResults: 5 });
    expect(results).toEqual([
      {
        title: 'a.example',
        url: 'https://a.example/',
        snippet: 'the text',
        text: 'the text',
        publishedAt: '2026-01-02',
      },
    ]);
  });
});

describe('a service that cannot answer', () => {
  it.each([
    [401, 'refused'],
    [403, 'refused'],
    [402, 'rate_limited'],
    [429, 'rate_limited'],
    [432, 'rate_limited'],
    [400, 'bad_answer'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ])('is told apart by its status %i: %s', async (status, failure) => {
    const { results } = await ask(createSearxngBackend, { status, body: { error: 'no' } });
    expect(results).toBe(failure);
  });

  it.each(['<html>', '{"results":"none"}', '[]', ''])('or by what it says: %s', async (body) => {
    expect((await ask(createSearxngBackend, { body })).results).toBe('bad_answer');
  });

  it('or by not being there', async () => {
    const egress = createEgress({ allowHosts: [], ports: [443], userAgent: 'test' });
    onTestFinished(() => egress.close());
    const backend = createSearxngBackend({ egress, baseUrl: 'http://127.0.0.1:1', timeoutMs: 5_000 });
    const search = backend.search(query, new AbortController().signal);
    await expect(search).rejects.toMatchObject({ backendId: 'searxng', failure: 'unavailable' });
  });
});
