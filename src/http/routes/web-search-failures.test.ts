/** Turns whose search meets pages that fail, or whose client leaves: what the next prompt holds, and the money. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHost } from '../../egress/__fixtures__/loopback-host.ts';
import { createEgress } from '../../egress/create-egress.ts';
import { scriptText, scriptToolCalls } from '../../engines/scripted/scripted-engine.ts';
import { createExtractor, pageExtractorDefaults } from '../../extract/create-extractor.ts';
import { openTestSearch } from '../../web-search/__fixtures__/open-test-search.ts';
import { createPageReader } from '../../web-search/fetch-page.ts';
import type { PageReader } from '../../web-search/search-backend.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';

const fields = {
  messages: [{ role: 'user', content: 'What is context caching?' }],
  tools: [{ type: 'builtin_function', function: { name: '$web_search' } }],
};
const searchCall = { name: 'web_search', argumentsText: '{"query":"context caching"}' };

/** The real way of a page: guarded fetch and extraction. */
function openReader(): PageReader {
  const egress = createEgress({ allowHosts: ['127.0.0.1:*'], ports: [80, 443], userAgent: 'test' });
  const extractor = createExtractor({ ...pageExtractorDefaults, threads: 1 });
  onTestFinished(async () => {
    await Promise.all([egress.close(), extractor.close()]);
  });
  return createPageReader({
    egress,
    extractor,
    robotsName: 'test',
    cacheMs: 60_000,
    cacheBytesMax: 1_000_000,
  });
}

const readBalance = async ({ store }: PlatformApp): Promise<bigint> =>
  (await store.db.selectFrom('balances').select('balance_nano_usd').executeTakeFirstOrThrow())
    .balance_nano_usd;

describe('a turn with $web_search', () => {
  it('reads good pages, takes the snippet of slow, broken, huge and forbidden ones, and costs one fee', async () => {
    const site = await startHost((request, response) => {
      switch (request.url) {
        case '/good':
          response.writeHead(200, { 'content-type': 'text/plain' }).end('Context caching keeps a prefix.');
          break;
        case '/broken':
          response.writeHead(500).end();
          break;
        case '/huge':
          response.writeHead(200, { 'content-type': 'text/plain' }).end('secret '.repeat(800_000));
          break;
        case '/inside':
          response.writeHead(302, { location: 'http://10.0.0.1/secret' }).end();
          break;
        case '/slow':
          // Never answered: it hangs until the time of the pages is over.
          break;
        default:
          response.writeHead(404).end();
      }
    });
    const paths = ['good', 'broken', 'huge', 'inside', 'slow'];
    const pages = paths.map((path) => ({
      title: `The ${path} page`,
      url: `${site.origin}/${path}`,
      text: '',
      snippet: `What context caching is, says ${path}.`,
    }));
    const reader = openReader();
    // Known from an earlier search, so that the time of the pages, which the slow one uses up, cannot fail it.
    await reader.read(`${site.origin}/good`, new AbortController().signal);
    const search = await openTestSearch(pages, { reader, pagesMs: 1_000 });
    const answers = [scriptToolCalls(searchCall), scriptText('It keeps a prefix.')];
    const app = await openPlatformApp('sqlite', {
      openSearch: search.openSearch,
      script: () => answers.shift() ?? scriptText('no more answers'),
    });
    const first = (await app.chat(fields)).json();
    expect(first.choices[0].finish_reason).toBe('tool_calls');

    const { message } = first.choices[0];
    const [call] = message.tool_calls;
    const echo = { role: 'tool', tool_call_id: call.id, content: call.function.arguments };
    const second = await app.chat({ ...fields, messages: [...fields.messages, message, echo] });
    expect(second.json().choices[0].message.content).toBe('It keeps a prefix.');
    const prompt = app.engine.runs[1]?.request.messages.at(-1)?.text ?? '';
    expect(prompt).toContain('> Context caching keeps a prefix.');
    expect(prompt).not.toContain('secret');
    const snippets = [...prompt.matchAll(/says (\w+)\.$/gm)].map(([, path]) => path);
    expect(snippets.sort()).toEqual(['broken', 'huge', 'inside', 'slow']);
    const rows = await app.store.db.selectFrom('usage_requests').select('web_searches').execute();
    expect(rows.map((row) => row.web_searches).sort()).toEqual([0, 1]);
    const spent = [first, second.json()].map((answer) => answer.meta.usage.usd_spent);
    expect(spent[0] - spent[1]).toBeCloseTo(0.004, 9);
  });

  it('costs no fee when its client leaves during the search, and holds nothing of the balance', async () => {
    const isReading = Promise.withResolvers<void>();
    const isLeft = Promise.withResolvers<void>();
    const reader: PageReader = {
      read: (_, signal) => {
        isReading.resolve();
        return new Promise((_resolve, reject) => {
          signal.addEventListener(
            'abort',
            () => {
              isLeft.resolve();
              reject(signal.reason);
            },
            { once: true },
          );
        });
      },
    };
    const page = { title: 'A', url: 'https://a.example/', text: '' };
    // So long that only the client can end it.
    const search = await openTestSearch([page], { reader, pagesMs: 600_000 });
    const app = await openPlatformApp('sqlite', {
      openSearch: search.openSearch,
      script: () => scriptToolCalls(searchCall),
    });
    const before = await readBalance(app);
    const leave = new AbortController();
    const origin = await app.app.listen({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => app.app.server.closeAllConnections());
    const answer = fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'kimi-k2-turbo-preview', ...fields }),
      signal: leave.signal,
    });
    answer.catch(() => 'it is left');
    await isReading.promise;
    leave.abort();
    await isLeft.promise;

    // Settled when the row is there: one statement writes it and gives the hold back.
    await expect
      .poll(() => app.store.db.selectFrom('usage_requests').selectAll().execute(), { timeout: 20_000 })
      .toHaveLength(1);
    const [row] = await app.store.db.selectFrom('usage_requests').selectAll().execute();
    expect(row).toMatchObject({ web_searches: 0, is_client_left: 1 });
    // What the model did before is paid for, and nothing else.
    expect(await readBalance(app)).toBe(before - (row?.cost_nano_usd ?? -1n));
    expect(row?.cost_nano_usd).toBeLessThan(4_000_000n);
    expect(await app.store.db.selectFrom('holds').selectAll().execute()).toEqual([]);
    expect(await app.store.db.selectFrom('web_searches').selectAll().execute()).toEqual([]);
    expect(app.engine.openRunCount()).toBe(0);
  });
});
