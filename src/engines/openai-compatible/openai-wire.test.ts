import { describe, expect, it } from 'vitest';
import { chatRequest, functionTool } from '../../chat/__fixtures__/chat-request.ts';
import type { ChatMessage, ChatRequest } from '../../chat/types.ts';
import { type AccountRun, encodeRequest } from './openai-wire.ts';
import { refuseUnsupported } from './refuse-unsupported.ts';
import { type OpenAiCompatibleOptions, resolveUpstream } from './upstream-options.ts';

function encode(
  request: Partial<ChatRequest>,
  options: Partial<OpenAiCompatibleOptions> = {},
  run: Partial<AccountRun> = {},
) {
  const upstream = resolveUpstream({ id: 'up', baseUrl: 'http://up/v1', upstreamModel: 'm', ...options });
  return encodeRequest(
    chatRequest(request),
    { outputTokensMax: 50, choices: [0], attempt: 0, accountId: 1, ...run },
    upstream,
  ).body;
}

const user: ChatMessage = { role: 'user', text: 'Hi', name: undefined };
const assistant = (
  text: string,
  ...calls: readonly (readonly [id: string, name: string, argumentsText: string])[]
): ChatMessage => ({
  role: 'assistant',
  text,
  name: undefined,
  isPartial: false,
  toolCalls: calls.map(([id, name, argumentsText]) => ({ id, name, argumentsText })),
});
const result = (toolCallId: string, text: string): ChatMessage => ({
  role: 'tool',
  text,
  name: undefined,
  toolCallId,
});
const partial: ChatMessage = {
  role: 'assistant',
  text: 'On',
  name: undefined,
  isPartial: true,
  toolCalls: [],
};
const weather = functionTool('weather', { type: 'object', properties: { city: { type: 'string' } } });
const search = functionTool('search', undefined);
const jsonFormat: ChatRequest['outputFormat'] = {
  type: 'json-schema',
  name: 'answer',
  description: undefined,
  schema: { type: 'object' },
  isStrict: true,
};

describe('the request to an upstream', () => {
  it('gives Kimi the ids it knows, counted over the conversation, whatever the caller called them', () => {
    const messages = [
      user,
      assistant('', ['call_x', 'search', '{"q":1}'], ['call_y', 'weather', '']),
      result('call_y', 'rain'),
      result('call_x', 'found'),
      assistant('', ['call_x', 'search', '{}']),
      result('call_x', 'again'),
    ];
    const body = encode({ messages }, { upstreamModel: 'moonshotai/Kimi-K2-Instruct-0905' });
    expect(body.messages).toEqual([
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        tool_calls: [
          {
            id: 'functions.search:0',
            type: 'function',
            function: { name: 'search', arguments: '{"q":1}' },
          },
          { id: 'functions.weather:1', type: 'function', function: { name: 'weather', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'functions.weather:1', content: 'rain' },
      { role: 'tool', tool_call_id: 'functions.search:0', content: 'found' },
      {
        role: 'assistant',
        tool_calls: [
          { id: 'functions.search:2', type: 'function', function: { name: 'search', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'functions.search:2', content: 'again' },
    ]);
  });

  it('leaves ids as they were sent for other models', () => {
    const messages = [user, assistant('Look:', ['search:0', 'search', '{}']), result('search:0', 'r')];
    const [, called, answered] = encode({ messages }).messages as { tool_calls?: { id: string }[] }[];
    expect(called).toMatchObject({ content: 'Look:', tool_calls: [{ id: 'search:0' }] });
    expect(answered).toMatchObject({ tool_call_id: 'search:0' });
  });

  it('carries every sampling field, and only those that say something', () => {
    const sampling = { temperature: 0, topP: 0.5, presencePenalty: 1, frequencyPenalty: -1, seed: 3 };
    const body = encode(
      { sampling, stop: ['a', 'b'], logprobs: { topCount: 2 }, cacheHint: 'task' },
      { capabilities: { promptCacheKey: true }, outputTokensField: 'max_completion_tokens' },
      { choices: [0, 1] },
    );
    expect(body).toMatchObject({
      temperature: 0,
      top_p: 0.5,
      presence_penalty: 1,
      frequency_penalty: -1,
      seed: 3,
      stop: ['a', 'b'],
      logprobs: true,
      top_logprobs: 2,
      prompt_cache_key: 'task',
      max_completion_tokens: 50,
      n: 2,
    });
    expect(body).not.toHaveProperty('max_tokens');
    const plain = encode({}, { capabilities: { streamUsage: false } });
    for (const field of ['seed', 'stop', 'logprobs', 'n', 'prompt_cache_key', 'stream_options', 'tools']) {
      expect(plain).not.toHaveProperty(field);
    }
  });

  it('keeps accounts apart in the upstream’s cache, where it can be told to', () => {
    const salts = [7, 7, 8].map(
      (accountId) => encode({}, { capabilities: { cacheSalt: true } }, { accountId })['cache_salt'],
    );
    expect(salts[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(salts[1]).toBe(salts[0]);
    expect(salts[2]).not.toBe(salts[0]);
    expect(encode({})).not.toHaveProperty('cache_salt');
  });

  it('samples a repeated attempt with another seed', () => {
    const sampling = { temperature: 1, topP: 1, presencePenalty: 0, frequencyPenalty: 0, seed: 3 };
    const seeds = [0, 1, 2].map((attempt) => encode({ sampling }, {}, { attempt, choices: [1] }).seed);
    expect(seeds[0]).toBe(4);
    expect(new Set(seeds).size).toBe(3);
  });

  it('says each tool choice', () => {
    const tools = [weather, search];
    expect(encode({ tools }).tool_choice).toBe('auto');
    expect(encode({ tools, toolChoice: { type: 'none' } }).tool_choice).toBe('none');
    expect(encode({ tools, toolChoice: { type: 'required' } }).tool_choice).toBe('required');
    expect(encode({ tools, toolChoice: { type: 'named', name: 'search' } }).tool_choice).toEqual({
      type: 'function',
      function: { name: 'search' },
    });
    expect(encode({ tools, isParallelToolCallsAllowed: false }).parallel_tool_calls).toBe(false);
  });

  it('shows an upstream that cannot be forced only the tool that is demanded', () => {
    const body = encode(
      { tools: [weather, search], toolChoice: { type: 'named', name: 'search' } },
      { capabilities: { toolChoiceRequired: false } },
    );
    expect(body).toMatchObject({ tool_choice: 'auto', tools: [{ function: { name: 'search' } }] });
    expect(body.tools).toHaveLength(1);
  });

  it('asks for JSON in the strongest way that the upstream knows', () => {
    const strong = encode({ outputFormat: jsonFormat });
    expect(strong.response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
    });
    const middle = encode({ outputFormat: jsonFormat }, { capabilities: { jsonSchema: false } });
    expect(middle.response_format).toEqual({ type: 'json_object' });
    expect(JSON.stringify(middle.messages)).toContain('JSON Schema');
    const weak = encode(
      { outputFormat: { type: 'json-object' } },
      { capabilities: { jsonSchema: false, jsonObject: false } },
    );
    expect(weak).not.toHaveProperty('response_format');
    expect(JSON.stringify(weak.messages)).toContain('one JSON object');
  });

  it('continues a partial message in the upstream’s way, and keeps it last', () => {
    const messages = [user, partial];
    const moonshot = encode({ messages }, { capabilities: { partial: 'moonshot' } });
    expect(moonshot.messages).toMatchObject([{}, { content: 'On', partial: true }]);
    const vllm = encode({ messages }, { capabilities: { partial: 'continue' } });
    expect(vllm).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
    const instructed = encode(
      { messages, outputFormat: { type: 'json-object' } },
      { capabilities: { partial: 'prefill', jsonObject: false } },
    );
    expect(instructed.messages).toMatchObject([{}, { role: 'system' }, { role: 'assistant', content: 'On' }]);
  });

  it('tells the model what was wrong, and forces the tool whose arguments were', () => {
    const rejection = {
      reason: '/city must be string',
      text: '',
      toolCalls: [{ name: 'weather', argumentsText: '{"city":1}' }],
    };
    const body = encode({ tools: [weather, search] }, {}, { attempt: 1, rejection });
    expect(body.tool_choice).toEqual({ type: 'function', function: { name: 'weather' } });
    const repair = (body.messages as { content: string }[]).at(-1);
    expect(repair?.content).toContain('/city must be string');
    expect(repair?.content).toContain('{"city":1}');
  });

  it('asks for a call as a JSON answer where a tool cannot be demanded but a schema can', () => {
    const rejection = { reason: 'The answer had to call a tool.', text: 'Hm.', toolCalls: [] };
    const capabilities = { toolChoiceRequired: false };
    const run = { attempt: 1, rejection };
    const tools = [weather, search];
    const all = encode({ tools, toolChoice: { type: 'required' } }, { capabilities }, run);
    expect(all).toMatchObject({ response_format: { json_schema: { schema: { anyOf: [{}, {}] } } } });
    expect(all).not.toHaveProperty('tools');
    const one = encode({ tools, toolChoice: { type: 'named', name: 'weather' } }, { capabilities }, run);
    expect(one).toMatchObject({
      response_format: {
        json_schema: {
          schema: { properties: { name: { const: 'weather' }, arguments: weather.parameters } },
        },
      },
    });
    const recursive = functionTool('f', { type: 'object', properties: { next: { $ref: '#' } } });
    const loose = encode({ tools: [recursive], toolChoice: { type: 'required' } }, { capabilities }, run);
    expect(loose).toMatchObject({
      response_format: { json_schema: { schema: { properties: { arguments: { type: 'object' } } } } },
    });
  });

  it('asks in Moonshot’s words for a tool where nothing can be demanded', () => {
    const rejection = { reason: 'The answer had to call a tool.', text: 'Hm.', toolCalls: [] };
    const body = encode(
      { tools: [weather], toolChoice: { type: 'required' } },
      { capabilities: { toolChoiceRequired: false, jsonSchema: false } },
      { attempt: 1, rejection },
    );
    const last = (body.messages as { content: string }[]).at(-1);
    expect(last?.content).toBe('Please select a tool to handle the current issue.');
  });
});

describe('a parameter that the upstream cannot honour', () => {
  const sampling = { temperature: 1.5, topP: 1, presencePenalty: 1, frequencyPenalty: 1, seed: 1 };
  it.each([
    ['tools', { tools: [search] }, { tools: false }],
    ['logprobs', { logprobs: { topCount: 0 } }, { logprobs: false }],
    ['seed', { sampling }, { seed: false }],
    ['presence_penalty', { sampling }, { penalties: false }],
    ['frequency_penalty', { sampling: { ...sampling, presencePenalty: 0 } }, { penalties: false }],
    ['temperature', { sampling }, { temperatureMax: 1 }],
    ['stop', { stop: ['a', 'b'] }, { stopCountMax: 1 }],
    ['messages', { messages: [user, partial] }, { partial: undefined }],
  ] as const)('is refused by its name: %s', (param, request, capabilities) => {
    const resolve = (given: OpenAiCompatibleOptions['capabilities']) =>
      resolveUpstream({ id: 'up', baseUrl: 'http://up/v1', upstreamModel: 'm', capabilities: given })
        .capabilities;
    expect(() => refuseUnsupported(chatRequest(request), resolve(capabilities))).toThrow(
      expect.objectContaining({ code: 'not_supported', param }),
    );
    expect(() => refuseUnsupported(chatRequest(request), resolve({ partial: 'prefill' }))).not.toThrow();
  });

  it('is refused for deterministic mode on every upstream', () => {
    const { capabilities } = resolveUpstream({ id: 'up', baseUrl: 'http://up/v1', upstreamModel: 'm' });
    expect(() => refuseUnsupported(chatRequest({ isDeterministic: true }), capabilities)).toThrow(
      expect.objectContaining({ code: 'not_supported' }),
    );
  });
});
