import { describe, expect, it } from 'vitest';
import { dataOf } from '../__fixtures__/wire.ts';
import { createChunkEncoder, doneFrame } from './encode-chunk.ts';

const identity = {
  id: 'chatcmpl-1',
  created: 7,
  model: 'kimi-k2-turbo-preview',
  systemFingerprint: 'fpv0_ab',
};
const usage = { promptTokens: 10, cachedTokens: 4, completionTokens: 5, source: 'engine' } as const;
const charge = { costNanoUsd: 1_250n };
const wireUsage = (completion_tokens: number) => ({
  prompt_tokens: 10,
  completion_tokens,
  total_tokens: 10 + completion_tokens,
  cached_tokens: 4,
  prompt_tokens_details: { cached_tokens: 4 },
});
const envelope = {
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 7,
  model: 'kimi-k2-turbo-preview',
  system_fingerprint: 'fpv0_ab',
};

describe('the chunks of a stream', () => {
  it('begin with the role once, and go on with text', () => {
    const encoder = createChunkEncoder(identity, false);
    const frames =
      encoder.encodeDelta({ type: 'text-delta', choice: 0, text: 'Hi "you"\n' }) +
      encoder.encodeDelta({ type: 'text-delta', choice: 0, text: '\u2028\ud83d\ude00' });
    expect(dataOf(frames)).toEqual([
      {
        ...envelope,
        choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      },
      { ...envelope, choices: [{ index: 0, delta: { content: 'Hi "you"\n' }, finish_reason: null }] },
      { ...envelope, choices: [{ index: 0, delta: { content: '\u2028\ud83d\ude00' }, finish_reason: null }] },
    ]);
  });

  it('name a tool call once, and go on with its arguments', () => {
    const encoder = createChunkEncoder(identity, false);
    const frames =
      encoder.encodeDelta({ type: 'tool-call-start', choice: 0, index: 1, id: 'f:3', name: 'f' }) +
      encoder.encodeDelta({ type: 'tool-call-delta', choice: 0, index: 1, argumentsText: '{"a' });
    const deltas = dataOf(frames).map(({ choices }) => choices);
    expect(deltas.slice(1)).toEqual([
      [
        {
          index: 0,
          delta: {
            tool_calls: [{ index: 1, id: 'f:3', type: 'function', function: { name: 'f', arguments: '' } }],
          },
          finish_reason: null,
        },
      ],
      [
        {
          index: 0,
          delta: { tool_calls: [{ index: 1, function: { arguments: '{"a' } }] },
          finish_reason: null,
        },
      ],
    ]);
  });

  it('end with the usage in each choice’s last chunk, and the cost in the last of all', () => {
    const encoder = createChunkEncoder(identity, false);
    encoder.encodeDelta({ type: 'text-delta', choice: 1, text: 'x' });
    encoder.holdFinish({ type: 'choice-finish', choice: 1, reason: 'length', completionTokens: 2 });
    encoder.holdFinish({ type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: 3 });
    const frames = encoder.encodeFinish(usage, charge);
    expect(dataOf(frames)).toEqual([
      { ...envelope, choices: [{ index: 1, delta: {}, finish_reason: 'length', usage: wireUsage(2) }] },
      {
        ...envelope,
        choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      },
      {
        ...envelope,
        choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: wireUsage(3) }],
        meta: { usage: { credits_used: 3, usd_spent: 0.00000125 } },
      },
    ]);
    expect(frames.endsWith(`\n\n${doneFrame}`)).toBe(true);
  });

  it('with include_usage carry one more chunk without choices, and `usage: null` before it', () => {
    const encoder = createChunkEncoder(identity, true);
    const first = encoder.encodeDelta({ type: 'text-delta', choice: 0, text: 'x' });
    encoder.holdFinish({ type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: 5 });
    const chunks = dataOf(first + encoder.encodeFinish(usage, charge));
    expect(chunks.map((chunk) => chunk.usage)).toEqual([null, null, null, wireUsage(5)]);
    expect(chunks.map((chunk) => 'meta' in chunk)).toEqual([false, false, false, true]);
    expect(chunks.at(-1)?.choices).toEqual([]);
    expect(chunks.at(-2)?.choices).toMatchObject([{ finish_reason: 'stop', usage: wireUsage(5) }]);
  });

  it('carry log probabilities beside the delta', () => {
    const encoder = createChunkEncoder(identity, false);
    const token = { token: 'x', bytes: [120], logprob: -0.5 };
    const frames = encoder.encodeDelta({
      type: 'text-delta',
      choice: 0,
      text: 'x',
      logprobs: [{ ...token, top: [token] }],
    });
    expect(dataOf(frames)[1]?.choices).toEqual([
      {
        index: 0,
        delta: { content: 'x' },
        logprobs: { content: [{ ...token, top_logprobs: [token] }], refusal: [] },
        finish_reason: null,
      },
    ]);
  });
});
