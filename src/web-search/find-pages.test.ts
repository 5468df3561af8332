import { describe, expect, it } from 'vitest';
import { findPages } from './find-pages.ts';
import { type SearchBackend, SearchBackendError, type SearchResult } from './search-backend.ts';

const query = { text: 'context caching', countMax: 3, language: undefined };
const never = new AbortController().signal;

const result = (url: string, snippet = ''): SearchResult => ({ title: `Title of ${url}`, url, snippet });

/** A backend that counts how often it is asked. */
function createBackend(id: string, answer: readonly SearchResult[] | Error) {
  let asked = 0;
  const backend: SearchBackend = {
    id,
    async search() {
      asked += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return { backend, asked: () => asked };
}

const find = (backends: readonly SearchBackend[], signal = never) =>
  findPages({ backends, searchMs: 60_000 }, query, signal);

describe('the pages of a search', () => {
  it('come from the first backends that have enough, in their order', async () => {
    const first = createBackend(
      'searxng',
      [1, 2, 3, 4].map((page) => result(`https://a.example/${page}`)),
    );
    const second = createBackend('local', [result('https://b.example/')]);
    const found = await find([first.backend, second.backend]);
    expect(found.results.map(({ url }) => url)).toEqual([1, 2, 3].map((page) => `https://a.example/${page}`));
    expect(second.asked()).toBe(0);
  });

  it('are completed by the next backend; one that both found is one result, and stands first', async () => {
    const first = createBackend('searxng', [
      result('https://a.example/'),
      { ...result('http://www.b.example/index.html?utm_source=x', 'short'), title: 'B' },
    ]);
    const second = createBackend('local', [
      { ...result('https://b.example/', 'a longer snippet'), publishedAt: '2026-01-02' },
      result('https://a.example/?page=2'),
    ]);
    expect((await find([first.backend, second.backend])).results).toEqual([
      {
        title: 'B',
        url: 'http://www.b.example/index.html?utm_source=x',
        snippet: 'a longer snippet',
        publishedAt: '2026-01-02',
      },
      result('https://a.example/'),
      result('https://a.example/?page=2'),
    ]);
  });

  it('come from the others when a backend fails, even by a defect; the failures are told', async () => {
    const refused = new SearchBackendError('brave', 'refused', { detail: 'the key is wrong' });
    const defect = new TypeError('cannot read properties of undefined');
    const found = await find([
      createBackend('brave', refused).backend,
      createBackend('exa', defect).backend,
      createBackend('local', [result('https://a.example/')]).backend,
    ]);
    expect(found.results).toEqual([result('https://a.example/')]);
    expect(found.isAnswered).toBe(true);
    expect(found.failures.map(({ backendId, failure }) => [backendId, failure])).toEqual([
      ['brave', 'refused'],
      ['exa', 'unavailable'],
    ]);
    expect(found.failures[1]?.cause).toBe(defect);
  });

  it('are none when nothing answers, which is not the same as nothing found', async () => {
    const failing = createBackend('brave', new Error('down')).backend;
    expect(await find([failing])).toMatchObject({ results: [], isAnswered: false });
    expect(await find([createBackend('local', []).backend])).toMatchObject({ results: [], isAnswered: true });
  });

  it('come from the next backend when one hangs, which is not waited for beyond its share of the time', async () => {
    const hanging: SearchBackend = {
      id: 'searxng',
      search: (_, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
        ),
    };
    const next = createBackend('local', [result('https://a.example/')]);
    const found = await findPages({ backends: [hanging, next.backend], searchMs: 2_000 }, query, never);
    expect(found.failures.map(({ failure }) => failure)).toEqual(['timeout']);
    expect(found.results).toEqual([result('https://a.example/')]);
    const alone = await findPages({ backends: [hanging], searchMs: 1 }, query, never);
    expect(alone).toMatchObject({ results: [], isAnswered: false });
  });

  it('end with the caller’s reason when the caller leaves', async () => {
    const controller = new AbortController();
    const leaving: SearchBackend = {
      id: 'searxng',
      async search() {
        controller.abort(new Error('the client left'));
        throw new Error('aborted');
      },
    };
    await expect(find([leaving], controller.signal)).rejects.toThrow('the client left');
  });
});
