import { describe, expect, it } from 'vitest';
import { createModelDirectory } from '../../engines/registry.ts';
import { createScriptedEngine } from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import { chatBody } from '../__fixtures__/wire.ts';
import { decodeRequest } from './decode-request.ts';

const models = createModelDirectory([
  {
    id: 'moonshot/kimi-k2-turbo-preview',
    wireName: 'kimi-k2-turbo-preview',
    aliases: ['kimi-k2-turbo'],
    engine: createScriptedEngine({ script: () => [] }),
    created: 0,
  },
]);
const options = { models, choiceCountMax: 16, isDeterministic: false };
const decode = (fields: Record<string, unknown>) => decodeRequest(chatBody(fields), options);

/** What the caller is told about a body that differs from a valid one in these fields. */
function refusal(fields: Record<string, unknown>): {
  code: string;
  param: string | undefined;
  message: string;
} {
  try {
    decode(fields);
  } catch (thrown) {
    if (thrown instanceof ApiError)
      return { code: thrown.code, param: thrown.param, message: thrown.message };
    throw thrown;
  }
  throw new Error(`accepted: ${JSON.stringify(fields)}`);
}

const tool = (name: string, more: object = {}) => ({ type: 'function', function: { name, ...more } });

describe('decoding a chat request', () => {
  it('fills in Moonshot’s defaults', () => {
    expect(decode({})).toMatchObject({
      isStream: false,
      includesUsage: false,
      request: {
        modelId: 'moonshot/kimi-k2-turbo-preview',
        messages: [{ role: 'user', text: 'Hello', name: undefined }],
        tools: [],
        toolChoice: { type: 'none' },
        isParallelToolCallsAllowed: true,
        outputFormat: { type: 'text' },
        choiceCount: 1,
        sampling: { temperature: 0.6, topP: 1, presencePenalty: 0, frequencyPenalty: 0, seed: undefined },
        stop: [],
        outputTokensMax: undefined,
        logprobs: undefined,
        cacheHint: undefined,
        isDeterministic: false,
      },
    });
  });

  it('takes null for every optional field as absent', () => {
    const optional = [
      'max_completion_tokens max_tokens stream stream_options tools tool_choice parallel_tool_calls n temperature',
      'top_p stop seed frequency_penalty presence_penalty logprobs top_logprobs response_format prompt_cache_key',
    ].flatMap((names) => names.split(' '));
    const nulls = Object.fromEntries(optional.map((name) => [name, null]));
    expect(decode(nulls)).toEqual(decode({}));
  });

  it('ignores fields it does not know, at every level', () => {
    const message = { role: 'user', content: 'Hello', weight: 1, id: 'x' };
    expect(decode({ messages: [message], user: 'u', logit_bias: { 1: 2 }, store: true })).toEqual(decode({}));
  });

  it.each(['moonshot/kimi-k2-turbo-preview', 'kimi-k2-turbo-preview', 'kimi-k2-turbo'])(
    'serves the model as %s',
    (name) => {
      expect(decode({ model: name }).request.modelId).toBe('moonshot/kimi-k2-turbo-preview');
    },
  );

  it('prefers max_completion_tokens over max_tokens and cuts off fractions', () => {
    expect(decode({ max_tokens: 10.9 }).request.outputTokensMax).toBe(10);
    expect(decode({ max_tokens: 10, max_completion_tokens: 20 }).request.outputTokensMax).toBe(20);
    expect(decode({ max_tokens: 1e300 }).request.outputTokensMax).toBe(0x7fff_ffff);
  });

  it('keeps seeds exact, and folds those that JSON cannot hold exactly', () => {
    expect(decode({ seed: -7 }).request.sampling.seed).toBe(-7);
    const seed = decode({ seed: 2 ** 63 + 2 ** 20 }).request.sampling.seed;
    expect(seed).toBe(2 ** 20);
  });

  it('joins text parts, and reads developer as system', () => {
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    const { messages } = decode({
      messages: [
        { role: 'developer', content: parts },
        { role: 'user', content: parts, name: 'Ann' },
      ],
    }).request;
    expect(messages).toEqual([
      { role: 'system', text: 'ab', name: undefined },
      { role: 'user', text: 'ab', name: 'Ann' },
    ]);
  });

  it('takes its own answers back as history', () => {
    const answer = {
      role: 'assistant',
      content: '',
      refusal: null,
      annotations: null,
      audio: null,
      tool_calls: [{ id: 'f:0', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
    };
    const { messages } = decode({
      messages: [
        { role: 'user', content: 'x' },
        answer,
        { role: 'tool', tool_call_id: 'f:0', name: 'f', content: '' },
        { role: 'assistant', content: null, refusal: 'I will not.' },
      ],
    }).request;
    expect(messages.slice(1)).toEqual([
      {
        role: 'assistant',
        text: '',
        name: undefined,
        isPartial: false,
        toolCalls: [{ id: 'f:0', name: 'f', argumentsText: '{"a":1}' }],
      },
      { role: 'tool', text: '', name: 'f', toolCallId: 'f:0' },
      { role: 'assistant', text: 'I will not.', name: undefined, isPartial: false, toolCalls: [] },
    ]);
  });

  it('takes a partial message that names only the speaker', () => {
    const { messages } = decode({
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', name: 'Dr. Kelsier', content: '', partial: true },
      ],
    }).request;
    expect(messages[1]).toMatchObject({ isPartial: true, name: 'Dr. Kelsier', text: '' });
  });

  it('decodes tools and the choice among them', () => {
    const parameters = { type: 'object', properties: { a: { type: 'string' } }, required: ['b'] };
    const { request } = decode({
      tools: [
        tool('f', { parameters, required: ['a', 'b'], description: 'does f', strict: false }),
        tool('9-lives', { parameters: null }),
        { type: 'builtin_function', function: { name: '$web_search' } },
      ],
      tool_choice: { type: 'function', function: { name: '9-lives' } },
      parallel_tool_calls: false,
    });
    expect(request.tools).toEqual([
      {
        type: 'function',
        name: 'f',
        description: 'does f',
        parameters: { ...parameters, required: ['b', 'a'] },
        isStrict: false,
      },
      { type: 'function', name: '9-lives', description: undefined, parameters: undefined, isStrict: true },
      { type: 'builtin', name: '$web_search' },
    ]);
    expect(request.toolChoice).toEqual({ type: 'named', name: '9-lives' });
    expect(request.isParallelToolCallsAllowed).toBe(false);
    expect(decode({ tools: [tool('f')] }).request.toolChoice).toEqual({ type: 'auto' });
    expect(decode({ tools: [tool('f')], tool_choice: 'required' }).request.toolChoice).toEqual({
      type: 'required',
    });
  });

  it('takes a tool that is named like the web search as the web search', () => {
    expect(decode({ tools: [tool('$web_search')] }).request.tools).toEqual([
      { type: 'builtin', name: '$web_search' },
    ]);
  });

  it('decodes the output formats', () => {
    const schema = { type: 'object', properties: {} };
    const format = (json_schema: object) =>
      decode({ response_format: { type: 'json_schema', json_schema } }).request.outputFormat;
    expect(format({ name: 'a', schema, strict: null })).toEqual({
      type: 'json-schema',
      name: 'a',
      description: undefined,
      schema,
      isStrict: true,
    });
    expect(format({ name: 'a', schema, strict: false })).toMatchObject({ isStrict: false });
    expect(format({ name: 'a' })).toMatchObject({ schema: { type: 'object' } });
    expect(decode({ response_format: { type: 'json_object' } }).request.outputFormat).toEqual({
      type: 'json-object',
    });
  });

  it('decodes stop, log probabilities and the stream options', () => {
    expect(decode({ stop: 'END' }).request.stop).toEqual(['END']);
    expect(decode({ stop: [] }).request.stop).toEqual([]);
    expect(decode({ stop: ['a', 'b', 'c', 'd', 'e'] }).request.stop).toHaveLength(5);
    expect(decode({ logprobs: true }).request.logprobs).toEqual({ topCount: 0 });
    expect(decode({ logprobs: true, top_logprobs: 20 }).request.logprobs).toEqual({ topCount: 20 });
    expect(decode({ stream: true, stream_options: { include_usage: true } })).toMatchObject({
      isStream: true,
      includesUsage: true,
    });
  });
});

describe('refusing a chat request', () => {
  it.each([
    [{ temperature: 2.1 }, 'temperature', 'must be at most 2'],
    [{ temperature: -0.1 }, 'temperature', 'must be at least 0'],
    [{ temperature: '0.5' }, 'temperature', 'expected number, received string'],
    [{ top_p: 0 }, 'top_p', 'must be at least 0.01'],
    [{ top_p: 1.01 }, 'top_p', 'must be at most 1'],
    [{ presence_penalty: 3 }, 'presence_penalty', 'must be at most 2'],
    [{ frequency_penalty: -3 }, 'frequency_penalty', 'must be at least -2'],
    [{ n: 0 }, 'n', 'must be at least 1'],
    [{ n: 17 }, 'n', 'must be at most 16'],
    [{ n: 1.5 }, 'n', 'expected integer, received 1.5'],
    [{ n: 1e300 }, 'n', 'must be at most'],
    [{ max_tokens: 0 }, 'max_tokens', 'must be at least 1'],
    [{ max_completion_tokens: 1.5 }, 'max_completion_tokens', 'expected integer'],
    [{ seed: 1.5 }, 'seed', 'expected integer'],
    [{ stop: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'stop', 'must have at most 5 items'],
    [{ stop: '' }, 'stop', 'must not be empty'],
    [{ stop: ['a', 'é'.repeat(513)] }, 'stop[1]', 'must have at most 1024 bytes'],
    [{ stop: [1] }, 'stop[0]', 'expected string, received number'],
    [{ stop: 5 }, 'stop', 'expected string or array, received number'],
    [{ top_logprobs: 1 }, 'top_logprobs', 'needs `logprobs: true`'],
    [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs', 'must be at most 20'],
    [{ logprobs: 2 }, 'logprobs', 'expected boolean, received number'],
    [{ stream: 'true' }, 'stream', 'expected boolean, received string'],
    [{ stream_options: { include_usage: 1 } }, 'stream_options.include_usage', 'expected boolean'],
    [{ model: 5 }, 'model', 'expected string, received number'],
    [{ model: undefined }, 'model', 'is required, expected string'],
    [{ messages: undefined }, 'messages', 'is required, expected array'],
    [{ messages: [] }, 'messages', 'must not be empty'],
    [{ messages: {} }, 'messages', 'expected array, received object'],
    [{ functions: [{ name: 'f' }] }, 'functions', 'declare functions in `tools`'],
    [{ response_format: 'json' }, 'response_format', 'expected object, received string'],
    [{ response_format: { type: 'xml' } }, 'response_format.type', 'expected one of `text`, `json_object`'],
    [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema', 'is required'],
    [
      { response_format: { type: 'json_schema', json_schema: { schema: {} } } },
      'response_format.json_schema.name',
      'is required',
    ],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: 'x' } } },
      'response_format.json_schema.schema',
      'expected object, received string',
    ],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {}, strict: 'yes' } } },
      'response_format.json_schema.strict',
      'expected boolean, received string',
    ],
    [{ tool_choice: 'required' }, 'tool_choice', 'cannot be met without `tools`'],
    [
      { tool_choice: 'maybe', tools: [tool('f')] },
      'tool_choice',
      'expected one of `none`, `auto`, `required`',
    ],
    [
      { tool_choice: { type: 'function', function: { name: 'g' } }, tools: [tool('f')] },
      'tool_choice.function.name',
      '`g` is not declared in `tools`',
    ],
    [{ tools: [tool('f'), tool('f')] }, 'tools[1].function.name', 'function name f is duplicated'],
    [{ tools: [tool('a b')] }, 'tools[0].function.name', 'must match'],
    [{ tools: [tool('')] }, 'tools[0].function.name', 'must match'],
    [{ tools: [tool('x'.repeat(65))] }, 'tools[0].function.name', 'must match'],
    [
      { messages: Array.from({ length: 10_001 }, () => ({ role: 'user', content: 'a' })) },
      'messages',
      'must have at most 10000 items',
    ],
    [{ tools: Array.from({ length: 129 }, (_, i) => tool(`f${i}`)) }, 'tools', 'must have at most 128 items'],
    [
      { tools: [{ type: 'retrieval', function: { name: 'f' } }] },
      'tools[0].type',
      'expected one of `function`',
    ],
    [
      { tools: [{ type: 'builtin_function', function: { name: 'f' } }] },
      'tools[0].function.name',
      'the only builtin_function is `$web_search`',
    ],
  ])('says where and why: %j', (fields, param, text) => {
    const refused = refusal(fields);
    expect(refused).toMatchObject({ code: 'invalid_request', param });
    expect(refused.message).toMatch(/^Invalid request: /);
    expect(refused.message).toContain(text);
  });

  it.each([[null], ['text'], [[]], [5]])('refuses a body that is no object: %j', (body) => {
    expect(() => decodeRequest(body, options)).toThrow(
      /Invalid request: the body: expected object, received /,
    );
  });

  it.each(['user', 'assistant'])('says that the model reads text only (%s)', (role) => {
    const parts = [
      { type: 'text', text: 'x' },
      { type: 'image_url', image_url: { url: 'data:' } },
    ];
    expect(refusal({ messages: [{ role, content: parts }] })).toEqual({
      code: 'invalid_request',
      param: 'messages[0].content[1].type',
      message:
        'Invalid request: messages[0].content[1].type: content parts of type `image_url` are not accepted; this model reads text only',
    });
  });

  it('names the roles there are', () => {
    expect(refusal({ messages: [{ role: 'cache', content: 'x' }] })).toMatchObject({
      param: 'messages[0].role',
      message: expect.stringContaining(
        'expected one of `user`, `system`, `developer`, `tool`, `assistant`, received `cache`',
      ),
    });
  });

  it('answers an unknown model as Moonshot does', () => {
    expect(refusal({ model: 'gpt-4o' })).toEqual({
      code: 'model_not_found',
      param: 'model',
      message: 'Not found the model gpt-4o or Permission denied',
    });
  });

  it.each([
    ['a list', []],
    ['a string', 'object'],
    ['a root that is not an object', { type: 'array' }],
    ['a key that would pollute prototypes', JSON.parse('{"properties":{"__proto__":{"type":"string"}}}')],
    ['bottomless nesting', JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)],
  ])('refuses parameters that are %s', (_name, parameters) => {
    const refused = refusal({ tools: [tool('f', { parameters })] });
    expect(refused.code).toBe('invalid_schema');
    expect(refused.param).toMatch(/^tools\[0\]\.function\.parameters/);
  });

  it('repeats only the beginning of a long word of the caller', () => {
    const { message } = refusal({ messages: [{ role: 'x'.repeat(100_000), content: 'y' }] });
    expect(message.length).toBeLessThan(300);
  });
});
