import { expect, it } from 'vitest';
import { pageExtractorDefaults } from '../create-extractor.ts';
import { extractHtml } from './html.ts';

const sentence = 'The repair cost more than was planned, because a pillar had to be replaced. ';

it.each(['The bridge was opened on 12 June 2025 by the mayor.', 'Sales began on 2025-06-01.'])(
  'a page’s first sentence is read though it names a day: %s',
  async (first) => {
    const html = `<html><head><title>Bridge</title><meta property="article:published_time" content="2025-06-18T08:00:00Z">
    </head><body><article><h1>Bridge</h1><p>${first}</p><p>${sentence.repeat(5)}</p></article></body></html>`;
    const page = await extractHtml(html, 'https://news.example/bridge', pageExtractorDefaults);
    expect(page.title).toBe('Bridge');
    expect(page.text).toMatch(new RegExp(`^${RegExp.escape(first)}\n\nThe repair`));
  },
);
