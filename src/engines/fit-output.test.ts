import { describe, expect, it } from 'vitest';
import { chatRequest } from '../chat/__fixtures__/chat-request.ts';
import { fitOutput } from './fit-output.ts';

const limits = { windowTokens: 100, outputTokensDefault: 30 };
const lengthAfter = (promptTokens: number, outputTokensMax?: number): number =>
  fitOutput(chatRequest({ outputTokensMax }), promptTokens, limits);

describe('the length of an answer', () => {
  it('is what was asked for where it fits, and else the default as far as there is room', () => {
    expect([
      lengthAfter(60, 40),
      lengthAfter(60, 1),
      lengthAfter(60),
      lengthAfter(80),
      lengthAfter(99),
    ]).toEqual([40, 1, 30, 20, 1]);
  });

  it('that has no room is refused with the exact counts, and what would fit', () => {
    expect(() => lengthAfter(60, 41)).toThrow(
      expect.objectContaining({
        code: 'context_length_exceeded',
        param: 'max_tokens',
        message: expect.stringContaining(
          'limit: 100 (requested: 101). The prompt has 60 tokens, so max_tokens may be at most 40.',
        ),
      }),
    );
  });

  it.each([
    [100, undefined, 100],
    [120, undefined, 120],
    [120, 5, 125],
  ])('has none after a prompt of %i tokens: the counts are exact', (promptTokens, asked, requested) => {
    expect(() => lengthAfter(promptTokens, asked)).toThrow(
      expect.objectContaining({
        code: 'context_length_exceeded',
        param: 'messages',
        message: expect.stringContaining(
          `limit: 100 (requested: ${requested}). The prompt has ${promptTokens} tokens.`,
        ),
      }),
    );
  });
});
