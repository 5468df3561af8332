import { describe, expect, it } from 'vitest';
import type { ChatChunk } from '../../api/wire-types.ts';
import { buildRequest } from './build-request.ts';
import { readTokenChances } from './read-token-chances.ts';
import { createSettings } from './settings.ts';

const token = (text: string, logprob: number) => ({
  token: text,
  logprob,
  bytes: [...new TextEncoder().encode(text)],
});

const chunk = (index: number, text: string, others: readonly string[] = []): ChatChunk => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  system_fingerprint: 'f',
  choices: [
    {
      index,
      delta: { content: text },
      finish_reason: null,
      logprobs: {
        content: [
          {
            ...token(text, Math.log(0.5)),
            top_logprobs: others.map((other) => token(other, Math.log(0.25))),
          },
        ],
        refusal: [],
      },
    },
  ],
});

describe('token probabilities', () => {
  it('are asked for with as many alternatives as a person chose, none included', () => {
    const settings = createSettings('m');
    expect(buildRequest(settings, [])).not.toHaveProperty('logprobs');
    for (const count of [0, 20]) {
      const asked = buildRequest({ ...settings, parameters: { top_logprobs: count } }, []);
      expect(asked).toMatchObject({ logprobs: true, top_logprobs: count });
    }
  });

  it('are read in the order of the answer, of one choice only', () => {
    const chunks = [chunk(0, 'Hel', ['Hi']), chunk(1, 'other'), chunk(0, 'lo')];
    const tokens = readTokenChances(chunks, 0);
    expect(tokens.map((each) => each.token)).toEqual(['Hel', 'lo']);
    expect(tokens[0]?.probability).toBeCloseTo(0.5);
    expect(tokens[0]?.alternatives).toEqual([{ token: 'Hi', probability: expect.closeTo(0.25) as number }]);
    expect(tokens[1]?.alternatives).toEqual([]);
  });
});
