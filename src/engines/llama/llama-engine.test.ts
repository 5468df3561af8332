import { describe, expect, it } from 'vitest';
import type { ChatRequest, JsonSchema } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { EngineEvent, EngineHealth, RunOptions } from '../engine.ts';
import { createLlamaEngine } from './llama-engine.ts';
import type { LlamaHost } from './llama-host.ts';
import type { GenerationEvent, GenerationSpec, LoadedModel, OutputPiece } from './protocol.ts';
import { chatRequest, declareTool, user } from './testing/requests.ts';

const model: LoadedModel = {
  architecture: 'llama',
  name: 'Toy',
  parameterCount: 1,
  sizeBytes: 1000,
  trainedContextTokens: 100,
  contextTokens: 200,
  kvCells: 100,
  vocabularySize: 10,
  chatTemplate: undefined,
  bosToken: '',
  eosToken: '<|im_end|>',
  hasLeadingBos: false,
  specialTokens: ['<|im_start|>', '<|im_end|>'],
  memoryBytes: 0,
  pinnedPrefixes: [],
};

const textPiece = (text: string): OutputPiece => ({ type: 'text', text });
const output = (choice: number, ...pieces: OutputPiece[]): GenerationEvent => ({
  type: 'output',
  choice,
  pieces,
});
const choiceEnd = (
  choice: number,
  reason: 'stop' | 'length' = 'stop',
  isConstraintUnfinished = false,
): GenerationEvent => ({
  type: 'choice-end',
  choice,
  reason,
  completionTokens: 5,
  isConstraintUnfinished,
});
const end: GenerationEvent = { type: 'end', promptTokens: 20, cachedTokens: 8 };

/** A host that counts one token per piece of a prompt times ten, and plays the given events. */
function createPlayedHost(
  events: readonly GenerationEvent[] = [],
  health: EngineHealth = { state: 'ready' },
) {
  const held = new Set<number>();
  const specs: GenerationSpec[] = [];
  let promptCount = 0;
  let isClosed = false;
  const host: LlamaHost = {
    health: () => health,
    model: health.state === 'ready' ? model : undefined,
    tokenize: async (pieces) => {
      const promptId = promptCount++;
      held.add(promptId);
      return { promptId, tokenCount: pieces.length * 10 };
    },
    forget: (promptId) => {
      held.delete(promptId);
    },
    async *generate(spec, signal) {
      specs.push(spec);
      held.delete(spec.promptId);
      for (const event of events) {
        if (signal.aborted) throw new ApiError('client_closed_request');
        yield event;
      }
    },
    pin: async () => true,
    unpin: () => undefined,
    pinnedPrefixes: new Set(),
    stats: async () => undefined,
    queueLengthMax: 8,
    close: async () => {
      isClosed = true;
    },
  };
  return { host, held, specs, isClosed: () => isClosed };
}

const engineOptions = {
  id: 'embedded',
  weightsName: 'Toy Q4_1',
  licence: 'Apache-2.0',
  digest: '0a1b2c3d',
  defaultOutputTokens: 64,
};

function createEngine(host: LlamaHost) {
  return createLlamaEngine({ ...engineOptions, host });
}

// ChatML cuts one user turn into four pieces and the beginning of the answer into two.
const promptTokens = 60;
const request = (changes: Partial<ChatRequest> = {}) => chatRequest([user('hi')], changes);
const context = (signal = new AbortController().signal) => ({ accountId: 3, inferenceId: 'inf-1', signal });

async function runAll(
  host: LlamaHost,
  changes: Partial<ChatRequest> = {},
  options: Partial<RunOptions> = {},
): Promise<EngineEvent[]> {
  const turn = await createEngine(host).prepare(request(changes), context());
  const run = { outputTokensMax: turn.outputTokensMax, choices: [0], attempt: 0, ...options };
  return Array.fromAsync(turn.run(run));
}

describe('a new engine', () => {
  it("says before the first request what of the model's chat template it cannot use", () => {
    const { host } = createPlayedHost();
    if (host.model === undefined) expect.unreachable('the played model is loaded');
    const broken = { ...host, model: { ...host.model, chatTemplate: '{% if %}' } };
    const notes: string[] = [];
    createLlamaEngine({ ...engineOptions, host: broken, onTemplateNote: (note) => notes.push(note) });
    expect(notes).toEqual([expect.stringContaining('ChatML')]);
  });
});

describe('preparing', () => {
  it('counts the prompt and bounds the default output by the window', async () => {
    const engine = createEngine(createPlayedHost().host);
    expect(await engine.prepare(request(), context())).toMatchObject({
      promptTokens,
      isPromptCountExact: true,
      outputTokensMax: 64,
      needsOutputCheck: false,
    });
    const longer = chatRequest([user('a'), user('b'), user('c'), user('d')]);
    expect((await engine.prepare(longer, context())).outputTokensMax).toBe(20);
  });

  it('refuses what does not fit into the window, with the exact counts', async () => {
    const played = createPlayedHost();
    const engine = createEngine(played.host);
    await expect(engine.prepare(request({ outputTokensMax: 141 }), context())).rejects.toMatchObject({
      code: 'context_length_exceeded',
      message:
        'Invalid request: Your request exceeded model token limit: 200 (requested: 201). The prompt has 60 tokens, so max_tokens may be at most 140.',
    });
    expect(played.held.size).toBe(0);
    expect((await engine.prepare(request({ outputTokensMax: 140 }), context())).outputTokensMax).toBe(140);
  });

  it('refuses more messages than the window has tokens without rendering them', async () => {
    const { host } = createPlayedHost();
    const tokenize = () => expect.unreachable('it was rendered');
    const endless = chatRequest(Array.from({ length: 201 }, () => user('hi')));
    await expect(createEngine({ ...host, tokenize }).prepare(endless, context())).rejects.toMatchObject({
      code: 'context_length_exceeded',
      message: 'Invalid request: Your request exceeded model token limit: 200 (requested: at least 201)',
    });
  });

  it('refuses a schema that cannot be used, naming the tool it belongs to', async () => {
    const tools = [
      declareTool('a'),
      declareTool('b', { type: 'object', properties: { x: { type: 'strin' } } }),
    ];
    await expect(
      createEngine(createPlayedHost().host).prepare(request({ tools }), context()),
    ).rejects.toMatchObject({
      code: 'invalid_schema',
      param: expect.stringContaining('tools[1].function.parameters'),
    });
  });

  it('says when an answer must be checked, because the grammar cannot express all of its schema', async () => {
    const outputFormat = (schema: JsonSchema) =>
      ({ type: 'json-schema', name: 'n', description: undefined, schema, isStrict: true }) as const;
    const engine = createEngine(createPlayedHost().host);
    const exact = await engine.prepare(
      request({ outputFormat: outputFormat({ type: 'integer' }) }),
      context(),
    );
    const inexact = await engine.prepare(
      request({ outputFormat: outputFormat({ type: 'integer', not: { const: 3 } }) }),
      context(),
    );
    expect([exact.needsOutputCheck, inexact.needsOutputCheck]).toEqual([false, true]);
  });

  it('answers 503 with the reason while no model is loaded', async () => {
    const { host } = createPlayedHost([], { state: 'failed', detail: 'the file is truncated' });
    await expect(createEngine(host).prepare(request(), context())).rejects.toMatchObject({
      code: 'model_unavailable',
      message: 'No model is loaded: the file is truncated',
    });
  });

  it('lets the child forget a prompt that never runs when the client leaves', async () => {
    const played = createPlayedHost();
    const client = new AbortController();
    await createEngine(played.host).prepare(request(), context(client.signal));
    expect(played.held.size).toBe(1);
    client.abort();
    expect(played.held.size).toBe(0);
    await expect(createEngine(played.host).prepare(request(), context(client.signal))).rejects.toMatchObject({
      code: 'client_closed_request',
    });
  });
});

describe('running', () => {
  it('streams text, finish reasons and measured usage over all choices', async () => {
    const { host, specs } = createPlayedHost([
      { type: 'prefill', processedTokens: 10, totalTokens: 20 },
      output(0, textPiece('Hel'), textPiece('lo')),
      output(1, textPiece('Hi')),
      choiceEnd(0),
      choiceEnd(1, 'length'),
      end,
    ]);
    expect(await runAll(host, { stop: ['x'] }, { choices: [0, 1] })).toEqual([
      { type: 'prefill-progress', processedTokens: 10, totalTokens: 20 },
      { type: 'text-delta', choice: 0, text: 'Hel' },
      { type: 'text-delta', choice: 0, text: 'lo' },
      { type: 'text-delta', choice: 1, text: 'Hi' },
      { type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: 5 },
      { type: 'choice-finish', choice: 1, reason: 'length', completionTokens: 5 },
      {
        type: 'finish',
        usage: { promptTokens: 20, cachedTokens: 8, completionTokens: 10, source: 'engine' },
      },
    ]);
    expect(specs[0]).toMatchObject({ tenant: '3', stop: ['x'], outputTokensMax: 64, grammar: undefined });
    expect(specs[0]?.choices).toEqual([
      { choice: 0, seed: 7 },
      { choice: 1, seed: 8 },
    ]);
  });

  it('runs again for another attempt, with other seeds, and not greedily twice', async () => {
    const { host, specs, held } = createPlayedHost([choiceEnd(0), end]);
    const sampling = { ...request().sampling, temperature: 0 };
    const turn = await createEngine(host).prepare(request({ sampling }), context());
    for (const attempt of [0, 1]) {
      await Array.fromAsync(turn.run({ outputTokensMax: 4, choices: [0], attempt }));
    }
    expect(specs.map((spec) => spec.temperature)).toEqual([0, 0.5]);
    expect(specs[0]?.choices[0]?.seed).not.toBe(specs[1]?.choices[0]?.seed);
    expect(specs[0]?.promptId).not.toBe(specs[1]?.promptId);
    expect(held.size).toBe(0);
  });

  const hermesCall = '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>';
  const tools = [declareTool('f', undefined, false)];

  it('reports a whole call as tool_calls', async () => {
    const { host } = createPlayedHost([output(0, textPiece(hermesCall)), choiceEnd(0), end]);
    expect(await runAll(host, { tools })).toMatchObject([
      { type: 'tool-call-start', choice: 0, index: 0, name: 'f' },
      { type: 'tool-call-delta', choice: 0, index: 0, argumentsText: '{"a": 1}' },
      { type: 'choice-finish', reason: 'tool_calls' },
      { type: 'finish' },
    ]);
  });

  it('reports a call that the budget cut, or closed early, as length', async () => {
    const reasonOf = async (events: GenerationEvent[]) => {
      const finish = (await runAll(createPlayedHost([...events, end]).host, { tools })).at(-2);
      return finish?.type === 'choice-finish' ? finish.reason : finish;
    };
    expect(await reasonOf([output(0, textPiece(hermesCall.slice(0, 40))), choiceEnd(0, 'stop', true)])).toBe(
      'length',
    );
    expect(await reasonOf([output(0, textPiece(hermesCall)), choiceEnd(0, 'length')])).toBe('length');
  });

  it('turns failures of the child into errors, and a stream without an end too', async () => {
    const code = (events: GenerationEvent[]) =>
      runAll(createPlayedHost(events).host).then(
        () => 'no error',
        (thrown: unknown) => (thrown instanceof ApiError ? thrown.code : thrown),
      );
    expect(await code([{ type: 'error', reason: 'overloaded', detail: 'no room' }])).toBe(
      'engine_overloaded',
    );
    expect(await code([{ type: 'error', reason: 'failed', detail: 'NaN' }])).toBe('engine_failed');
    expect(await code([choiceEnd(0)])).toBe('engine_failed');
  });

  it('ends with client_closed_request when the client leaves', async () => {
    const { host } = createPlayedHost([
      output(0, textPiece('a')),
      output(0, textPiece('b')),
      choiceEnd(0),
      end,
    ]);
    const client = new AbortController();
    const turn = await createEngine(host).prepare(request(), context(client.signal));
    const read = async () => {
      for await (const _event of turn.run({ outputTokensMax: 4, choices: [0], attempt: 0 })) client.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: 'client_closed_request' });
  });
});

describe('a process that does nothing', () => {
  it('is given up with engine_timeout, and its work aborted', async () => {
    const { host } = createPlayedHost();
    let isAborted = false;
    const stuck: LlamaHost = {
      ...host,
      model,
      async *generate(_spec, signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        isAborted = true;
        throw new ApiError('client_closed_request');
      },
    };
    const engine = createLlamaEngine({ ...engineOptions, host: stuck, idleMsMax: 1 });
    const turn = await engine.prepare(request(), context());
    const run = Array.fromAsync(turn.run({ outputTokensMax: 4, choices: [0], attempt: 0 }));
    await expect(run).rejects.toMatchObject({ code: 'engine_timeout' });
    expect(isAborted).toBe(true);
  });
});

describe('the engine', () => {
  it('says what stands behind it, and closes its host', async () => {
    const played = createPlayedHost();
    const engine = createEngine(played.host);
    expect(engine.backing()).toEqual({
      weights: 'Toy Q4_1',
      sizeBytes: 1000,
      licence: 'Apache-2.0',
      contextTokens: 200,
      digest: '0a1b2c3d',
      isSchemaEnforced: true,
    });
    await engine.close();
    expect(played.isClosed()).toBe(true);
  });
});
