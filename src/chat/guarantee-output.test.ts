import { afterAll, describe, expect, it } from 'vitest';
import { createBarrier } from '../engines/scripted/barrier.ts';
import {
  createScriptedEngine,
  type Script,
  type ScriptStep,
  scriptText,
  scriptToolCalls,
  scriptUsage,
} from '../engines/scripted/scripted-engine.ts';
import { createOutputChecker } from '../grammar/output-checker.ts';
import { chatRequest, functionTool } from './__fixtures__/chat-request.ts';
import { collectCompletion } from './collect.ts';
import { prepareChat } from './run-chat.ts';
import type { ChatEvent, ChatRequest } from './types.ts';

const checker = createOutputChecker();
afterAll(() => checker.close());

const weather = functionTool('weather', {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
});
const goodCall = { name: 'weather', argumentsText: '{"city":"Paris"}' };
const badCall = { name: 'weather', argumentsText: '{"town":"Paris"}' };

const jsonAnswer: ChatRequest['outputFormat'] = {
  type: 'json-schema',
  name: 'answer',
  description: undefined,
  schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
  isStrict: true,
};

/** Runs a request over an engine that cannot constrain; `attempts` are its answers in order. */
async function runGuarded(request: ChatRequest, ...attempts: readonly (readonly ScriptStep[])[]) {
  const script: Script = ({ attempt }) => attempts[attempt] ?? attempts.at(-1) ?? [];
  const engine = createScriptedEngine({ script, isSchemaEnforced: false });
  const context = { accountId: 1, inferenceId: 'i', signal: new AbortController().signal };
  const chat = await prepareChat(request, engine, context, checker);
  const events: ChatEvent[] = [];
  const record = async function* () {
    for await (const event of chat.run(chat.outputTokensMax)) {
      events.push(event);
      yield event;
    }
  };
  const completion = collectCompletion(record());
  return { completion, events, engine, chat };
}

describe('on an engine that cannot constrain its output', () => {
  it('valid tool arguments pass at the first try', async () => {
    const { completion, engine } = await runGuarded(
      chatRequest({ tools: [weather] }),
      scriptToolCalls(goodCall),
    );
    expect((await completion).choices[0]?.toolCalls).toEqual([{ id: 'weather:0', ...goodCall }]);
    expect(engine.runs.length).toBe(1);
  });

  it('invalid arguments never leave: the choice is generated again, told what was wrong', async () => {
    const { completion, events, engine } = await runGuarded(
      chatRequest({ tools: [weather] }),
      scriptToolCalls(badCall),
      scriptToolCalls({ name: 'whether', argumentsText: '{}' }),
      scriptToolCalls(goodCall),
    );
    const { choices, usage } = await completion;
    expect(choices[0]?.toolCalls).toEqual([{ id: 'weather:0', ...goodCall }]);
    expect(JSON.stringify(events)).not.toContain('town');
    expect(engine.runs.map(({ attempt, choices: asked }) => [attempt, asked])).toEqual([
      [0, [0]],
      [1, [0]],
      [2, [0]],
    ]);
    expect(engine.runs[1]?.rejection).toMatchObject({ toolCalls: [{ argumentsText: '{"town":"Paris"}' }] });
    expect(engine.runs[2]?.rejection?.reason).toContain('no tool named `whether`');
    // The refused attempts cost nothing.
    expect(usage.completionTokens).toBe(1);
  });

  it('a turn whose every attempt is invalid fails with `unexpected_output` after three repetitions', async () => {
    const { completion, engine } = await runGuarded(
      chatRequest({ tools: [weather] }),
      scriptToolCalls(badCall),
    );
    await expect(completion).rejects.toMatchObject({ code: 'unexpected_output', status: 502 });
    expect(engine.runs.length).toBe(4);
  });

  it('text before a tool call streams at once, and a repetition does not say it twice', async () => {
    const withText = (text: string, call: typeof goodCall): ScriptStep[] => [
      { type: 'text-delta', choice: 0, text },
      ...scriptToolCalls(call),
    ];
    const { completion, events } = await runGuarded(
      chatRequest({ tools: [weather] }),
      withText('Let me look.', badCall),
      withText('Again:', goodCall),
    );
    expect((await completion).choices[0]?.text).toBe('Let me look.');
    expect(events[0]).toMatchObject({ type: 'text-delta', text: 'Let me look.' });
  });

  it('a repetition may answer in words when nothing was said yet', async () => {
    const { completion } = await runGuarded(
      chatRequest({ tools: [weather] }),
      scriptToolCalls(badCall),
      scriptText('It is ', 'sunny.'),
    );
    expect((await completion).choices[0]).toMatchObject({ text: 'It is sunny.', finishReason: 'stop' });
  });

  it('JSON answers are held back until they are valid', async () => {
    const { completion, events } = await runGuarded(
      chatRequest({ outputFormat: jsonAnswer }),
      scriptText('{"n": "one"}'),
      scriptText('{"n"', ': 1}'),
    );
    expect((await completion).choices[0]?.text).toBe('{"n": 1}');
    expect(events.filter(({ type }) => type === 'text-delta').length).toBe(1);
  });

  it('a Markdown fence around valid JSON is taken off instead of asking again', async () => {
    const { completion, engine } = await runGuarded(
      chatRequest({ outputFormat: jsonAnswer }),
      scriptText('```json\n', '{"n": 1}', '\n```\n'),
    );
    expect((await completion).choices[0]?.text).toBe('{"n": 1}');
    expect(engine.runs.length).toBe(1);
  });

  it('`json_object` takes any object and nothing else', async () => {
    const request = chatRequest({ outputFormat: { type: 'json-object' } });
    const { completion } = await runGuarded(request, scriptText('[1]'), scriptText('{"a": []}'));
    expect((await completion).choices[0]?.text).toBe('{"a": []}');
  });

  it('in partial mode the whole text is judged, and only the continuation leaves', async () => {
    const user = chatRequest({}).messages;
    const partial = {
      role: 'assistant',
      text: '{"n":',
      name: undefined,
      toolCalls: [],
      isPartial: true,
    } as const;
    const request = chatRequest({ outputFormat: jsonAnswer, messages: [...user, partial] });
    const { completion, engine } = await runGuarded(request, scriptText(' 7}'));
    expect((await completion).choices[0]?.text).toBe(' 7}');
    expect(engine.runs.length).toBe(1);
  });

  it('a budget that ends inside an answer is `length`, not a failure', async () => {
    const cutShort = (steps: ScriptStep[]): ScriptStep[] =>
      steps.map((step) => (step.type === 'choice-finish' ? { ...step, reason: 'length' } : step));
    const call = await runGuarded(
      chatRequest({ tools: [weather] }),
      cutShort(scriptToolCalls(goodCall, { name: 'weather', argumentsText: '{"ci' })),
    );
    const { choices } = await call.completion;
    expect(choices[0]).toMatchObject({
      finishReason: 'length',
      toolCalls: [goodCall, { argumentsText: '{"ci' }],
    });
    const json = await runGuarded(chatRequest({ outputFormat: jsonAnswer }), cutShort(scriptText('{"n": ')));
    expect((await json.completion).choices[0]).toMatchObject({ finishReason: 'length', text: '{"n": ' });
  });

  it('a demanded tool call is called, and the right one', async () => {
    const other = functionTool('other', undefined);
    const required = chatRequest({ tools: [weather, other], toolChoice: { type: 'required' } });
    const first = await runGuarded(required, scriptText('No.'), scriptToolCalls(goodCall));
    expect((await first.completion).choices[0]).toMatchObject({ text: '', toolCalls: [goodCall] });

    const named = chatRequest({ tools: [weather, other], toolChoice: { type: 'named', name: 'weather' } });
    const otherCall = { name: 'other', argumentsText: '{}' };
    const second = await runGuarded(named, scriptToolCalls(otherCall), scriptToolCalls(goodCall));
    expect((await second.completion).choices[0]?.toolCalls).toMatchObject([goodCall]);
  });

  it('a demanded call that no budget reaches ends with `length`, once every attempt was made', async () => {
    const request = chatRequest({ tools: [weather], toolChoice: { type: 'required' } });
    const cutShort = scriptText('Well,').map(
      (step): ScriptStep => (step.type === 'choice-finish' ? { ...step, reason: 'length' } : step),
    );
    const called = await runGuarded(request, cutShort, scriptToolCalls(goodCall));
    expect((await called.completion).choices[0]).toMatchObject({ text: '', toolCalls: [goodCall] });
    const never = await runGuarded(request, cutShort);
    expect((await never.completion).choices[0]).toMatchObject({ text: 'Well,', finishReason: 'length' });
    expect(never.engine.runs.length).toBe(4);
  });

  it('tools are not called when the caller forbids them', async () => {
    const none = chatRequest({ tools: [weather], toolChoice: { type: 'none' } });
    const forbidden = await runGuarded(none, scriptToolCalls(goodCall), scriptText('Sunny.'));
    expect((await forbidden.completion).choices[0]).toMatchObject({ text: 'Sunny.', toolCalls: [] });
  });

  it('a tool that is not strict takes any JSON object', async () => {
    const loose = { ...weather, isStrict: false };
    const { completion, engine } = await runGuarded(
      chatRequest({ tools: [loose] }),
      scriptToolCalls(badCall),
    );
    expect((await completion).choices[0]?.toolCalls).toMatchObject([badCall]);
    expect(engine.runs.length).toBe(1);
  });

  it('an announced call that never came is asked for again', async () => {
    const lost: ScriptStep[] = [
      { type: 'choice-finish', choice: 0, reason: 'tool_calls', completionTokens: 5 },
      { type: 'finish', usage: scriptUsage(5) },
    ];
    const { completion } = await runGuarded(
      chatRequest({ tools: [weather] }),
      lost,
      scriptToolCalls(goodCall),
    );
    expect((await completion).choices[0]?.toolCalls).toMatchObject([goodCall]);
  });

  it('only the refused choices of several are generated again', async () => {
    const callIn = (choice: number, argumentsText: string): ScriptStep[] => [
      { type: 'tool-call-start', choice, index: 0, name: 'weather' },
      { type: 'tool-call-delta', choice, index: 0, argumentsText },
      { type: 'choice-finish', choice, reason: 'tool_calls', completionTokens: 4 },
    ];
    const { completion, engine, chat } = await runGuarded(
      chatRequest({ tools: [weather], choiceCount: 3 }),
      [
        ...callIn(2, '{"city":"C"}'),
        ...callIn(0, '{"city":"A"}'),
        ...callIn(1, '{'),
        { type: 'finish', usage: scriptUsage(12) },
      ],
      [...callIn(1, '{"city":"B"}'), { type: 'finish', usage: scriptUsage(4) }],
    );
    const { choices, usage } = await completion;
    expect(choices.map(({ toolCalls }) => toolCalls[0]?.argumentsText)).toEqual([
      '{"city":"A"}',
      '{"city":"B"}',
      '{"city":"C"}',
    ]);
    expect(engine.runs[1]?.choices).toEqual([1]);
    expect(usage).toEqual(scriptUsage(12));
    expect(chat.usageSoFar().completionTokens).toBe(12);
  });

  it('a client that leaves during a repetition owes the tokens of that repetition only', async () => {
    const barrier = createBarrier();
    const { chat, completion } = await runGuarded(
      chatRequest({ tools: [weather] }),
      [{ type: 'text-delta', choice: 0, text: 'Hm', tokenCount: 30 }, ...scriptToolCalls(badCall)],
      [
        { type: 'text-delta', choice: 0, text: 'Hm', tokenCount: 2 },
        { type: 'wait', barrier },
        ...scriptText('.'),
      ],
    );
    await barrier.reached();
    expect(chat.usageSoFar()).toEqual(scriptUsage(2));
    barrier.open();
    // An answer in words goes on below what was said before.
    expect((await completion).choices[0]).toMatchObject({ text: 'Hm\n\nHm.', toolCalls: [] });
  });

  it('the progress of the prompt is shown while an answer is held back', async () => {
    const { events, completion } = await runGuarded(chatRequest({ outputFormat: jsonAnswer }), [
      { type: 'prefill-progress', processedTokens: 5, totalTokens: 10 },
      ...scriptText('{"n":1}'),
    ]);
    await completion;
    expect(events[0]?.type).toBe('prefill-progress');
  });
});
