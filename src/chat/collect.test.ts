import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectCompletion } from './collect.ts';
import type { ChatEvent, Usage } from './types.ts';

const usage: Usage = { promptTokens: 3, cachedTokens: 0, completionTokens: 9, source: 'engine' };

async function* stream(events: readonly ChatEvent[]): AsyncGenerator<ChatEvent> {
  yield* events;
}

interface Part {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly pieces: readonly string[] }[];
}

/** All deltas of one choice in their order. */
function choiceEvents(choice: number, part: Part): ChatEvent[] {
  const text = Array.from(
    part.text,
    (character): ChatEvent => ({ type: 'text-delta', choice, text: character }),
  );
  const calls = part.calls.flatMap(({ name, pieces }, index): ChatEvent[] => [
    { type: 'tool-call-start', choice, index, id: `${name}:${index}`, name },
    ...pieces.map((argumentsText): ChatEvent => ({ type: 'tool-call-delta', choice, index, argumentsText })),
  ]);
  const reason = part.calls.length > 0 ? 'tool_calls' : 'stop';
  return [...text, ...calls, { type: 'choice-finish', choice, reason, completionTokens: 1 }];
}

/** Mixes the choices by the given picks; each choice keeps its own order. */
function interleave(queues: ChatEvent[][], picks: readonly number[]): ChatEvent[] {
  const mixed: ChatEvent[] = [];
  const rest = queues.map((queue) => [...queue]);
  for (const pick of picks) {
    const event = rest[pick % rest.length]?.shift();
    if (event !== undefined) mixed.push(event);
  }
  return [...mixed, ...rest.flat(), { type: 'finish', usage }];
}

/** What OpenAI's clients do with a stream: one object per choice, deltas merged by choice and call index. */
function assembleLikeAClient(events: readonly ChatEvent[]) {
  const messages: {
    content: string;
    calls: { id: string; name: string; arguments: string }[];
    end: string;
  }[] = [];
  for (const event of events) {
    if (!('choice' in event)) continue;
    messages[event.choice] ??= { content: '', calls: [], end: '' };
    const message = messages[event.choice];
    if (message === undefined) continue;
    if (event.type === 'text-delta') message.content += event.text;
    if (event.type === 'tool-call-start') {
      message.calls[event.index] = { id: event.id, name: event.name, arguments: '' };
    }
    if (event.type === 'tool-call-delta') {
      const call = message.calls[event.index];
      if (call !== undefined) call.arguments += event.argumentsText;
    }
    if (event.type === 'choice-finish') message.end = event.reason;
  }
  return messages;
}

const partArbitrary: fc.Arbitrary<Part> = fc.record({
  text: fc.string({ unit: 'binary', maxLength: 12 }),
  calls: fc.array(
    fc.record({ name: fc.constantFrom('a', 'search'), pieces: fc.array(fc.string(), { maxLength: 4 }) }),
    { maxLength: 3 },
  ),
});

describe('collecting a completion', () => {
  it('gives what a streaming client assembles, for every legal order of events', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(partArbitrary, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(3), { maxLength: 60 }),
        async (parts, picks) => {
          const events = interleave(
            parts.map((part, choice) => choiceEvents(choice, part)),
            picks,
          );
          const collected = await collectCompletion(stream(events));
          const shown = collected.choices.map(({ text, toolCalls, finishReason }) => ({
            content: text,
            calls: toolCalls.map(({ id, name, argumentsText }) => ({ id, name, arguments: argumentsText })),
            end: finishReason,
          }));
          expect(shown).toEqual(assembleLikeAClient(events));
          expect(collected.usage).toBe(usage);
        },
      ),
    );
  });

  it('keeps log probabilities in order', async () => {
    const logprob = (token: string) => ({ token, bytes: [1], logprob: -1, top: [] });
    const { choices } = await collectCompletion(
      stream([
        { type: 'text-delta', choice: 0, text: 'ab', logprobs: [logprob('a'), logprob('b')] },
        { type: 'text-delta', choice: 0, text: 'c', logprobs: [logprob('c')] },
        { type: 'choice-finish', choice: 0, reason: 'length', completionTokens: 3 },
        { type: 'finish', usage },
      ]),
    );
    expect(choices[0]?.logprobs.map(({ token }) => token)).toEqual(['a', 'b', 'c']);
  });

  it('takes as many log probabilities at once as a window has tokens', async () => {
    const logprobs = Array.from({ length: 262_144 }, () => ({
      token: 'a',
      bytes: [97],
      logprob: -1,
      top: [],
    }));
    const { choices } = await collectCompletion(
      stream([
        { type: 'text-delta', choice: 0, text: 'a', logprobs },
        { type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: logprobs.length },
        { type: 'finish', usage },
      ]),
    );
    expect(choices[0]?.logprobs).toHaveLength(logprobs.length);
  });

  it('refuses a stream that ends without `finish`', async () => {
    const events: ChatEvent[] = [{ type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: 0 }];
    await expect(collectCompletion(stream(events))).rejects.toMatchObject({ code: 'engine_failed' });
  });

  it('refuses a completion of which a choice is missing or unfinished', async () => {
    const finish: ChatEvent = { type: 'finish', usage };
    const second: ChatEvent = { type: 'choice-finish', choice: 1, reason: 'stop', completionTokens: 0 };
    await expect(collectCompletion(stream([second, finish]))).rejects.toMatchObject({
      code: 'engine_failed',
    });
    const unfinished: ChatEvent = { type: 'text-delta', choice: 0, text: 'a' };
    await expect(collectCompletion(stream([unfinished, finish]))).rejects.toMatchObject({
      code: 'engine_failed',
    });
  });
});
