/** The upstream engine under the chat core: what a caller gets from servers that do not keep a schema. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { chatRequest, functionTool } from '../../chat/__fixtures__/chat-request.ts';
import { collectCompletion } from '../../chat/collect.ts';
import { prepareChat } from '../../chat/run-chat.ts';
import type { ChatRequest } from '../../chat/types.ts';
import { createOutputChecker } from '../../grammar/output-checker.ts';
import {
  answerText,
  encodeEvent,
  type ReceivedRequest,
  startStream,
  startUpstreamServer,
} from './__fixtures__/upstream-server.ts';
import { createOpenAiCompatibleEngine } from './openai-compatible-engine.ts';
import type { OpenAiCompatibleOptions } from './upstream-options.ts';

const checker = createOutputChecker();
afterAll(() => checker.close());

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Asks a server that gives these answers one after the other. */
async function ask(
  request: ChatRequest,
  options: Partial<OpenAiCompatibleOptions>,
  ...answers: readonly ((response: ReceivedRequest['response']) => void)[]
) {
  let position = 0;
  const server = await startUpstreamServer(({ response }) => {
    answers[position]?.(response);
    position += 1;
  });
  cleanups.push(() => server.close());
  const engine = createOpenAiCompatibleEngine({
    id: 'up',
    baseUrl: server.baseUrl,
    upstreamModel: 'm',
    ...options,
  });
  cleanups.push(() => engine.close());
  const context = { accountId: 1, inferenceId: 'i', signal: new AbortController().signal };
  const chat = await prepareChat(request, engine, context, checker);
  const { choices, usage } = await collectCompletion(chat.run(chat.outputTokensMax));
  return { choice: choices[0], usage, requests: server.requests };
}

const answerCall = (name: string, argumentsText: string) => (response: ReceivedRequest['response']) => {
  startStream(response);
  const call = { index: 0, id: 'x', type: 'function', function: { name, arguments: argumentsText } };
  response.write(
    encodeEvent({ choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: 'tool_calls' }] }),
  );
  response.write(
    encodeEvent({ choices: [], usage: { prompt_tokens: 20, completion_tokens: 9, total_tokens: 29 } }),
  );
  response.end('data: [DONE]\n\n');
};
const answer =
  (...contents: readonly string[]) =>
  (response: ReceivedRequest['response']) =>
    answerText(response, ...contents);

const weather = functionTool('weather', {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
});

describe('an upstream that breaks the declared schema', () => {
  it('is asked again with the tool named, and only the valid call leaves', async () => {
    const { choice, usage, requests } = await ask(
      chatRequest({ tools: [weather] }),
      {},
      answerCall('weather', '{"town":"Oslo"}'),
      answerCall('weather', '{"city":"Oslo"}'),
    );
    expect(choice).toMatchObject({
      toolCalls: [{ id: 'weather:0', name: 'weather', argumentsText: '{"city":"Oslo"}' }],
      finishReason: 'tool_calls',
    });
    expect(requests[1]?.body.tool_choice).toEqual({ type: 'function', function: { name: 'weather' } });
    // The caller pays for one prompt and for the accepted call.
    expect(usage).toMatchObject({ promptTokens: 20, completionTokens: 9 });
  });

  it('is asked for the call as JSON when no tool can be demanded of it', async () => {
    const { choice, requests } = await ask(
      chatRequest({ tools: [weather], toolChoice: { type: 'required' } }),
      { capabilities: { toolChoiceRequired: false } },
      answer('It is sunny.'),
      answer('{"name": "weather", ', '"arguments": {"city": "Oslo"}}'),
    );
    expect(requests.map(({ body }) => body.tool_choice)).toEqual(['auto', undefined]);
    expect(choice).toMatchObject({
      text: '',
      toolCalls: [{ name: 'weather', argumentsText: '{"city":"Oslo"}' }],
      finishReason: 'tool_calls',
    });
  });

  it('ends in an error when it never gives what was asked', async () => {
    const request = chatRequest({ tools: [weather] });
    const wrong = answerCall('weather', '{');
    await expect(ask(request, {}, wrong, wrong, wrong, wrong)).rejects.toMatchObject({
      code: 'unexpected_output',
    });
  });

  it('has its JSON answers checked, and mended where a fence is all that is wrong', async () => {
    const outputFormat = {
      type: 'json-schema',
      name: 'n',
      description: undefined,
      schema: { type: 'object', required: ['n'] },
      isStrict: true,
    } as const;
    const { choice, requests } = await ask(
      chatRequest({ outputFormat }),
      {},
      answer('{"m": 1}'),
      answer('```json\n{"n": 1}\n```'),
    );
    expect(choice?.text).toBe('{"n": 1}');
    expect(JSON.stringify(requests[1]?.body.messages)).toContain('required property');
  });

  it('may continue a partial message without repeating it', async () => {
    const partial = {
      role: 'assistant',
      text: 'It is',
      name: undefined,
      toolCalls: [],
      isPartial: true,
    } as const;
    const messages = [...chatRequest({}).messages, partial];
    const options = { capabilities: { partial: 'echo' } } as const;
    const { choice } = await ask(chatRequest({ messages }), options, answer('It ', 'is', ' sunny'));
    expect(choice?.text).toBe(' sunny');
  });

  it('is refused a schema that cannot be used before it hears of it', async () => {
    const broken = functionTool('broken', { type: 'nonsense' });
    await expect(ask(chatRequest({ tools: [weather, broken] }), {})).rejects.toMatchObject({
      code: 'invalid_schema',
      param: expect.stringContaining('tools[1].function.parameters'),
    });
  });
});
