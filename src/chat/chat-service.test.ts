import { describe, expect, it } from 'vitest';
import { createFreeMeter } from '../billing/free-meter.ts';
import { createTurnMetering } from '../billing/metered-turn.ts';
import { createModelDirectory } from '../engines/registry.ts';
import { createBarrier } from '../engines/scripted/barrier.ts';
import {
  createScriptedEngine,
  type ScriptedEngineOptions,
  scriptText,
  scriptToolCalls,
  scriptUsage,
} from '../engines/scripted/scripted-engine.ts';
import { ApiError } from '../errors.ts';
import { chatRequest, functionTool } from './__fixtures__/chat-request.ts';
import { testCaller } from './__fixtures__/test-caller.ts';
import { createChatService } from './chat-service.ts';
import { collectCompletion } from './collect.ts';

function createService(options: ScriptedEngineOptions) {
  const engine = createScriptedEngine(options);
  const models = createModelDirectory([
    {
      id: 'moonshot/kimi-k2-turbo-preview',
      wireName: 'kimi-k2-turbo-preview',
      aliases: ['kimi-k2-turbo'],
      engine,
      created: 0,
    },
  ]);
  const meterTurn = createTurnMetering({ meter: createFreeMeter(), nowMs: () => performance.now() });
  return { service: createChatService({ models, meterTurn }), engine, models };
}

function createTurn(controller = new AbortController()) {
  return {
    caller: testCaller(),
    inferenceId: 'chatcmpl-1',
    clientRequestId: undefined,
    signal: controller.signal,
  } as const;
}

describe('the chat service', () => {
  it('answers others while a large schema is compiled, and lets its sender leave', async () => {
    const { service } = createService({ script: () => scriptText('Hello'), isSchemaEnforced: false });
    const names = Array.from({ length: 1_500 }, (_, i) => `p${i}`);
    const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
    const leaving = new AbortController();
    const large = service.start(
      chatRequest({ tools: [functionTool('large', { properties })] }),
      createTurn(leaving),
    );
    const plain = service
      .start(chatRequest({}), createTurn())
      .then(({ events }) => collectCompletion(events));
    expect(await Promise.race([plain.then(() => 'plain'), large.then(() => 'large')])).toBe('plain');
    leaving.abort();
    await expect(large).rejects.toMatchObject({ code: 'client_closed_request' });
  });

  it('answers with the engine behind the served name', async () => {
    const { service, engine } = createService({ script: () => scriptText('Hel', 'lo') });
    const turn = await service.start(chatRequest({}), createTurn());
    expect(turn.promptTokens).toBe(10);
    expect(await collectCompletion(turn.events)).toMatchObject({
      choices: [{ text: 'Hello', finishReason: 'stop', completionTokens: 2 }],
      usage: scriptUsage(2),
    });
    expect(turn.charge()).toEqual({ costNanoUsd: 0n });
    expect(engine.openRunCount()).toBe(0);
  });

  it('gives the engine the choices and the budget of the request', async () => {
    const { service, engine } = createService({ script: () => scriptText('x') });
    const turn = await service.start(chatRequest({ choiceCount: 3, outputTokensMax: 5 }), createTurn());
    await Array.fromAsync(turn.events);
    expect(engine.runs[0]).toMatchObject({ choices: [0, 1, 2], outputTokensMax: 5, attempt: 0 });
  });

  it('names tool calls by their place in the conversation', async () => {
    const { service } = createService({
      script: () =>
        scriptToolCalls({ name: 'Shell', argumentsText: '{}' }, { name: 'Read', argumentsText: '{}' }),
    });
    const history = {
      role: 'assistant',
      text: '',
      name: undefined,
      isPartial: false,
      toolCalls: [{ id: 'Shell:58', name: 'Shell', argumentsText: '{}' }],
    } as const;
    const request = chatRequest({ messages: [history], tools: [functionTool('Shell', undefined)] });
    const { choices } = await collectCompletion((await service.start(request, createTurn())).events);
    expect(choices[0]?.toolCalls.map(({ id }) => id)).toEqual(['Shell:59', 'Read:60']);
  });

  it('lets no tool call out when no tool was declared, whatever the engine promises', async () => {
    for (const isSchemaEnforced of [true, false]) {
      const script = () => scriptToolCalls({ name: 'Shell', argumentsText: '{}' });
      const { service, engine } = createService({ script, isSchemaEnforced });
      const turn = await service.start(chatRequest({}), createTurn());
      await expect(collectCompletion(turn.events)).rejects.toMatchObject({ code: 'unexpected_output' });
      expect(engine.openRunCount()).toBe(0);
    }
  });

  it('refuses a model that is not served', async () => {
    const { service } = createService({ script: () => [] });
    await expect(service.start(chatRequest({ modelId: 'gpt-5' }), createTurn())).rejects.toMatchObject({
      code: 'model_not_found',
      message: 'Not found the model gpt-5 or Permission denied',
      param: 'model',
    });
  });

  it('refuses builtin tools by their place, before the engine hears of the turn', async () => {
    const { service, engine } = createService({ script: () => [] });
    const tools = [functionTool('f', undefined), { type: 'builtin', name: '$web_search' } as const];
    await expect(service.start(chatRequest({ tools }), createTurn())).rejects.toMatchObject({
      code: 'not_supported',
      param: 'tools[1]',
    });
    expect(engine.runs).toEqual([]);
  });

  it('passes on what the engine finds wrong with a request', async () => {
    const { service } = createService({
      script: () => [],
      promptTokens: new ApiError('context_length_exceeded'),
    });
    await expect(service.start(chatRequest({}), createTurn())).rejects.toMatchObject({
      code: 'context_length_exceeded',
    });
  });

  it('lets the engine forget the prompt of a turn that nobody pays for', async () => {
    const { engine, models } = createService({ script: () => scriptText('Hello') });
    const service = createChatService({
      models,
      meterTurn: async () => {
        throw new ApiError('insufficient_balance');
      },
    });
    const refused = service.start(chatRequest({}), createTurn());
    await expect(refused).rejects.toMatchObject({ code: 'insufficient_balance' });
    expect(engine.discardCount()).toBe(1);
    expect(engine.runs).toEqual([]);
  });

  it('fails with the error of an engine that breaks in the middle', async () => {
    const { service, engine } = createService({
      script: () => [
        { type: 'text-delta', choice: 0, text: 'a' },
        { type: 'fail', error: new ApiError('engine_failed') },
      ],
    });
    const turn = await service.start(chatRequest({}), createTurn());
    await expect(collectCompletion(turn.events)).rejects.toMatchObject({ code: 'engine_failed' });
    expect(engine.openRunCount()).toBe(0);
  });

  it('stops the engine when the client leaves in the middle', async () => {
    const barrier = createBarrier();
    const { service, engine } = createService({
      script: () => [
        { type: 'text-delta', choice: 0, text: 'a' },
        { type: 'wait', barrier },
      ],
    });
    const controller = new AbortController();
    const turn = await service.start(chatRequest({}), createTurn(controller));
    const collected = collectCompletion(turn.events);
    await barrier.reached();
    expect(engine.openRunCount()).toBe(1);
    controller.abort();
    await expect(collected).rejects.toMatchObject({ code: 'client_closed_request' });
    expect(engine.openRunCount()).toBe(0);
  });

  it('leaves two turns at the same time alone', async () => {
    const barrier = createBarrier();
    const { service } = createService({
      script: ({ request }) => [
        ...(request.outputTokensMax === 1 ? [{ type: 'wait', barrier } as const] : []),
        ...scriptText(`budget ${request.outputTokensMax}`),
      ],
    });
    const slow = collectCompletion(
      (await service.start(chatRequest({ outputTokensMax: 1 }), createTurn())).events,
    );
    await barrier.reached();
    const fast = collectCompletion(
      (await service.start(chatRequest({ outputTokensMax: 2 }), createTurn())).events,
    );
    expect((await fast).choices[0]?.text).toBe('budget 2');
    barrier.open();
    expect((await slow).choices[0]?.text).toBe('budget 1');
  });
});
