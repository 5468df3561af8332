import { describe, expect, it } from 'vitest';
import type { Annotation } from '../../api/wire-types.ts';
import { citeSources } from './cite-sources.ts';

const cite = (start: number, end: number, url: string): Annotation => ({
  type: 'url_citation',
  url_citation: { start_index: start, end_index: end, title: `Title of ${url}`, url },
});

describe('citations', () => {
  it('replace the marks that the model wrote', () => {
    expect(citeSources('Rain [1] falls.', [cite(5, 8, 'https://a.example')])).toEqual({
      text: 'Rain [1](#cite-1) falls.',
      sources: [{ title: 'Title of https://a.example', url: 'https://a.example' }],
    });
  });

  it('stand behind a cited passage', () => {
    expect(citeSources('Rain falls.', [cite(0, 10, 'https://a.example')]).text).toBe(
      'Rain falls[1](#cite-1).',
    );
  });

  it('count code points: an emoji before them does not shift them', () => {
    expect(citeSources('🌧️ Rain [1].', [cite(8, 11, 'https://a.example')]).text).toBe('🌧️ Rain [1](#cite-1).');
  });

  it('give one number per page, in the order of the text', () => {
    const { text, sources } = citeSources('A [2] B [1] C [2]', [
      cite(14, 17, 'https://b.example'),
      cite(2, 5, 'https://b.example'),
      cite(8, 11, 'https://a.example'),
    ]);
    expect(text).toBe('A [1](#cite-1) B [2](#cite-2) C [1](#cite-1)');
    expect(sources.map(({ url }) => url)).toEqual(['https://b.example', 'https://a.example']);
  });

  it('outside of the text are left out', () => {
    expect(citeSources('short', [cite(2, 99, 'https://a.example')])).toEqual({ text: 'short', sources: [] });
  });
});
