import { describe, expect, it } from 'vitest';
import { foldContent, foldSearch, foldText } from './fold-text.ts';

describe('words of a conversation', () => {
  it('are those of its messages, not the names and settings around them', () => {
    const content = JSON.stringify({
      version: 1,
      threads: [
        {
          settings: { model: 'moonshot/kimi', systemPrompt: 'Be brief.' },
          nodes: { a: { role: 'user', text: 'Was heißt GRÜSSE?' }, b: { role: 'assistant', text: '问候' } },
        },
      ],
    });
    expect(foldContent(content)).toBe('was heißt grüsse?\n问候');
  });

  it('are the same however they are typed', () => {
    expect(foldText('ＡＰＩ Caf\u0065\u0301')).toBe(foldText('api caf\u00e9'));
  });

  it('beyond a bound are not kept, so that a search stays bounded', () => {
    expect(foldContent(JSON.stringify({ text: 'x'.repeat(900_000) })).length).toBeLessThanOrEqual(20_000);
    expect(foldSearch('a b c d e f g h i j')).toHaveLength(8);
  });

  it('may hold the wildcards of databases, which then stand for themselves', () => {
    expect(foldSearch('  100%  a_b  C:\\ 100% ')).toEqual(['%100\\%%', '%a\\_b%', '%c:\\\\%']);
    expect(foldSearch(' ')).toEqual([]);
  });
});
