import { expect, it } from 'vitest';
import { readPages } from './read-pages.ts';
import type { PageReader } from './search-backend.ts';

const never = new AbortController().signal;
const limits = { pagesMax: 5, pagesMs: 60_000 };

it('a document that has no title of its own is called what the search service called it', async () => {
  const titles: Readonly<Record<string, string>> = { 'https://a.example/': 'Its own' };
  const pages: PageReader = {
    read: async (url) => ({
      isRead: true,
      page: { title: titles[url] ?? '', text: 'Text.', url },
      timing: { fetchMs: 1, extractMs: 1 },
    }),
  };
  const results = ['https://a.example/', 'https://b.example/manual.pdf'].map((url) => {
    return { url, title: 'Of the service', snippet: '' };
  });
  const read = await readPages(results, { pages, limits }, never);
  expect(read.pages.map(({ title }) => title)).toEqual(['Its own', 'Of the service']);
});
