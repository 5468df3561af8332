import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FinishReason } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { EngineEvent } from '../engine.ts';
import { createAnswerDecoder, type DecodedUsage } from './answer-decoder.ts';
import { startExchange } from './exchange.ts';
import type { ResponseHandler } from './upstream-connection.ts';

const fixturesDir = path.join(import.meta.dirname, '__fixtures__');

interface Choice {
  readonly text: string;
  readonly calls?: readonly (readonly [name: string, argumentsText: string])[];
  readonly reason: FinishReason;
  readonly tokens: number;
}

/** What each recorded stream must come out as; `usage` is prompt, cached. */
const answers: Record<string, { choices: readonly Choice[]; usage?: readonly [number, number] }> = {
  'moonshot-text': {
    choices: [{ text: 'Hi, 世界 👋!', reason: 'stop', tokens: 13 }],
    usage: [19, 8],
  },
  'moonshot-tool-calls': {
    choices: [
      {
        text: 'Let me look.',
        calls: [
          ['search', '{\n    "query": "Context Caching"\n}'],
          ['Shell', '{"cmd":"ls"}'],
        ],
        reason: 'tool_calls',
        tokens: 13,
      },
    ],
    usage: [19, 0],
  },
  'moonshot-two-choices': {
    choices: [
      { text: 'one', reason: 'stop', tokens: 2 },
      { text: 'two and on', reason: 'length', tokens: 5 },
    ],
    usage: [9, 0],
  },
  'llama-server-two-choices': {
    choices: [
      { text: 'Bonjour, welcome to the', reason: 'length', tokens: 6 },
      { text: 'Bonjour', reason: 'stop', tokens: 3 },
    ],
    usage: [34, 33],
  },
  'vllm-kimi-tool-call': {
    choices: [
      { text: '', calls: [['get_weather', '{"city": "Beijing"}']], reason: 'tool_calls', tokens: 28 },
    ],
    usage: [103, 96],
  },
  'vllm-kimi-leaked-tokens': {
    choices: [
      {
        text: 'I will look. ',
        calls: [
          ['get_weather', '{"city": "a < b <| "}'],
          ['search', '{}'],
        ],
        reason: 'tool_calls',
        tokens: 28,
      },
    ],
    usage: [103, 96],
  },
  'sglang-kimi-tool-call': {
    choices: [{ text: '', calls: [['get_weather', '{"city": "Oslo"}']], reason: 'tool_calls', tokens: 20 }],
    usage: [50, 0],
  },
  'llama-server-text': { choices: [{ text: 'One two', reason: 'length', tokens: 2 }], usage: [11, 0] },
  'ollama-tool-calls': {
    choices: [
      {
        text: '',
        calls: [
          ['a', '{"x":1}'],
          ['a', '{"x":2}'],
        ],
        reason: 'tool_calls',
        tokens: 13,
      },
    ],
    usage: [19, 0],
  },
  'index-and-id-missing': {
    choices: [
      {
        text: 'and then',
        calls: [
          ['a', '{"x":1}'],
          ['a', '{"x":2}'],
          ['b', '{}'],
        ],
        reason: 'tool_calls',
        tokens: 13,
      },
    ],
    usage: [19, 0],
  },
  'name-late-and-repeated': {
    choices: [
      {
        text: '',
        calls: [
          ['a', '{"x":1}'],
          ['b', '{}'],
        ],
        reason: 'tool_calls',
        tokens: 13,
      },
    ],
    usage: [19, 0],
  },
  'keep-alives-crlf': { choices: [{ text: 'Hello', reason: 'stop', tokens: 13 }], usage: [19, 16] },
  'bom-multi-line-data': { choices: [{ text: 'Hello', reason: 'stop', tokens: 13 }], usage: [19, 0] },
  'no-usage-no-done': {
    choices: [{ text: 'Hello there, this is a longer piece of text.x', reason: 'stop', tokens: 12 }],
  },
  'content-parts': { choices: [{ text: 'Hello', reason: 'length', tokens: 13 }], usage: [19, 0] },
  'whole-answer': {
    choices: [{ text: 'Hello', calls: [['a', '{}']], reason: 'tool_calls', tokens: 13 }],
    usage: [19, 0],
  },
};

/** Streams that must never look like an answer. */
const failures: Record<string, { code: string; message?: string }> = {
  'cut-off': { code: 'upstream_failed' },
  'cut-off-inside-event': { code: 'upstream_failed' },
  'done-without-finish': { code: 'upstream_failed' },
  'error-object': { code: 'upstream_failed' },
  'error-event': { code: 'engine_overloaded' },
  'error-context-length': {
    code: 'context_length_exceeded',
    message: 'Invalid request: Your request exceeded model token limit: 8192 (requested: 13392)',
  },
  'error-as-object-type': { code: 'upstream_failed' },
  'finish-error': { code: 'upstream_failed' },
  'not-json': { code: 'upstream_failed' },
  'call-without-name': { code: 'upstream_failed' },
};

const readFixture = (name: string): Buffer => readFileSync(path.join(fixturesDir, `${name}.chunks.txt`));

/** Plays the pieces as one response and returns everything that came of it. */
function play(pieces: readonly Buffer[], choices: readonly number[], contentType = 'text/event-stream') {
  const events: EngineEvent[] = [];
  const ends: (DecodedUsage | ApiError)[] = [];
  let handler: ResponseHandler | undefined;
  const connection = {
    send(_: unknown, given: ResponseHandler) {
      handler = given;
      return { abort() {}, pause() {}, resume() {} };
    },
  };
  startExchange({
    connection,
    path: '/v1/chat/completions',
    body: '{}',
    timeouts: { connectMs: 1e6, firstByteMs: 1e6, idleMs: 1e6, totalMs: 1e6 },
    decoder: createAnswerDecoder({
      choices,
      hasLogprobs: false,
      textForm: { hasControlTokens: true, isCall: false, echo: undefined },
      emit: (event) => events.push(event),
    }),
    onEnd: (usage) => ends.push(usage),
    onError: (error) => ends.push(error),
  });
  handler?.onResponse(200, { 'content-type': contentType });
  for (const piece of pieces) handler?.onData(piece);
  handler?.onEnd();
  return { events, ends };
}

/** The events of each choice, put together. Throws when their order is not a legal one. */
function summarize(events: readonly EngineEvent[], choiceCount: number): Choice[] {
  return Array.from({ length: choiceCount }, (_, choice) => {
    let text = '';
    const calls: [string, string][] = [];
    for (const event of events) {
      if (!('choice' in event) || event.choice !== choice) continue;
      if (event.type === 'text-delta') text += event.text;
      if (event.type === 'tool-call-start' && calls.push([event.name, '']) !== event.index + 1) {
        throw new Error('a call started out of order');
      }
      if (event.type === 'tool-call-delta') {
        const call = calls[event.index];
        if (call === undefined) throw new Error('a call went on before it started');
        call[1] += event.argumentsText;
      }
      if (event.type === 'choice-finish') {
        const summary = { text, reason: event.reason, tokens: event.completionTokens };
        return calls.length > 0 ? { ...summary, calls } : summary;
      }
    }
    throw new Error(`choice ${choice} never finished`);
  });
}

/** Whole, byte by byte, and cut in two at every position. */
function* splits(bytes: Buffer): Generator<Buffer[]> {
  yield [bytes];
  yield Array.from(bytes, (_, position) => bytes.subarray(position, position + 1));
  for (let at = 1; at < bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

describe('recorded upstream answers', () => {
  it('are all judged here', () => {
    const recorded = readdirSync(fixturesDir)
      .filter((file) => file.endsWith('.chunks.txt'))
      .map((file) => file.replace('.chunks.txt', ''));
    expect(recorded.sort()).toEqual([...Object.keys(answers), ...Object.keys(failures)].sort());
  });

  it.each(Object.entries(answers))('%s comes out whole, wherever the network cuts it', (name, expected) => {
    const choices = expected.choices.map((_, position) => position);
    const contentType = name === 'whole-answer' ? 'application/json' : 'text/event-stream';
    const outcomes = new Set<string>();
    for (const pieces of splits(readFixture(name))) {
      const { events, ends } = play(pieces, choices, contentType);
      const [end, ...others] = ends;
      if (end === undefined || others.length > 0) throw new Error('the answer must end once');
      if (end instanceof Error) throw end;
      const usage = end.usage && [end.usage.promptTokens, end.usage.cachedTokens];
      outcomes.add(JSON.stringify({ choices: summarize(events, choices.length), usage }));
    }
    // However it was cut, one and the same answer came out.
    expect([...outcomes].map((outcome) => JSON.parse(outcome))).toEqual([expected]);
  });

  it.each(Object.entries(failures))('%s fails, wherever the network cuts it', (name, expected) => {
    const outcomes = new Set<string>();
    for (const pieces of splits(readFixture(name))) {
      const { events, ends } = play(pieces, [0]);
      const [end, ...others] = ends;
      if (!(end instanceof ApiError) || others.length > 0) throw new Error('the answer must fail once');
      const isClaimedComplete = events.some(({ type }) => type === 'choice-finish');
      outcomes.add(JSON.stringify({ code: end.code, message: end.message, isClaimedComplete }));
    }
    expect([...outcomes].map((outcome) => JSON.parse(outcome))).toMatchObject([
      { ...expected, isClaimedComplete: false },
    ]);
  });

  it('are given the numbers of the choices that were asked for', () => {
    const { events } = play([readFixture('moonshot-two-choices')], [2, 0]);
    const finished = events.flatMap((event) => (event.type === 'choice-finish' ? [event.choice] : []));
    expect(finished).toEqual([2, 0]);
  });
});
