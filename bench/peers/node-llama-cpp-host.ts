/**
 * Hosts node-llama-cpp in a process of its own and drives its public API: one context, one sequence per request,
 * the sequence that shares most of the prompt first. Its types are described here in miniature, because the package
 * is installed for `npm run bench` only and the type check must pass without it.
 */
import type { JsonSchema } from '../../src/chat/types.ts';
import type { EngineOptions } from '../engine/engine-subject.ts';
import type { PeerAnswer, PeerCommand } from '../engine/node-llama-cpp-protocol.ts';

type Token = number;

interface Sequence {
  readonly nextTokenIndex: number;
  readonly contextTokens: readonly Token[];
  adaptStateToTokens(tokens: readonly Token[], allowShift: boolean): Promise<void>;
  evaluate(tokens: readonly Token[], options: object): AsyncGenerator<Token>;
}

interface Model {
  tokenize(text: string): Token[];
  detokenize(tokens: readonly Token[]): string;
  createContext(options: object): Promise<{ getSequence(): Sequence }>;
}

interface Library {
  getLlama(options: object): Promise<{
    loadModel(options: object): Promise<Model>;
    createGrammarForJsonSchema(schema: JsonSchema): Promise<object>;
  }>;
  LlamaGrammarEvaluationState: new (options: { model: Model; grammar: object }) => object;
}

const packageName = 'node-llama-cpp';
const library = (await import(packageName)) as Library; // Its documented API at the pinned version.
const llama = await library.getLlama({ build: 'never', gpu: false, logLevel: 'error' });

let model: Model | undefined;
const idleSequences: Sequence[] = [];
const aborts = new Map<number, AbortController>();

const answer = (message: PeerAnswer) => process.send?.(message);

async function load(options: EngineOptions): Promise<void> {
  model = await llama.loadModel({ modelPath: options.modelPath });
  const context = await model.createContext({
    contextSize: options.contextTokens,
    sequences: options.parallel,
    threads: options.threads,
    batchSize: 512,
  });
  for (let count = 0; count < options.parallel; count++) idleSequences.push(context.getSequence());
}

function sharedLength(sequence: Sequence, tokens: readonly Token[]): number {
  const differsAt = sequence.contextTokens.findIndex((token, index) => token !== tokens[index]);
  return differsAt < 0 ? sequence.contextTokens.length : differsAt;
}

async function generate(command: Extract<PeerCommand, { type: 'generate' }>): Promise<void> {
  if (model === undefined) throw new Error('no model is loaded');
  const tokens = model.tokenize(command.prompt);
  idleSequences.sort((a, b) => sharedLength(a, tokens) - sharedLength(b, tokens));
  const sequence = idleSequences.pop();
  if (sequence === undefined) throw new Error('every sequence is busy');
  const controller = new AbortController();
  aborts.set(command.id, controller);
  let completionTokens = 0;
  try {
    await sequence.adaptStateToTokens(tokens.slice(0, -1), false);
    const cachedTokens = sequence.nextTokenIndex;
    const grammar = command.jsonSchema && (await llama.createGrammarForJsonSchema(command.jsonSchema));
    const options = {
      temperature: 0,
      ...(grammar && {
        grammarEvaluationState: new library.LlamaGrammarEvaluationState({ model, grammar }),
      }),
    };
    for await (const token of sequence.evaluate(tokens.slice(cachedTokens), options)) {
      answer({ type: 'output', id: command.id, text: model.detokenize([token]) });
      // The API cannot stop a running prefill (to dispose of its sequence breaks the context), only what follows.
      controller.signal.throwIfAborted();
      if (++completionTokens >= command.tokensMax) break;
    }
    answer({ type: 'end', id: command.id, completionTokens, promptTokens: tokens.length, cachedTokens });
  } finally {
    aborts.delete(command.id);
    idleSequences.push(sequence);
  }
}

process.on('message', (message) => {
  const command = message as PeerCommand; // The only messages that the benchmark sends.
  if (command.type === 'load') void load(command.options).then(() => answer({ type: 'loaded' }));
  else if (command.type === 'abort') aborts.get(command.id)?.abort();
  else {
    generate(command).catch((error: unknown) =>
      answer({ type: 'failed', id: command.id, detail: String(error) }),
    );
  }
});
process.on('disconnect', () => process.exit(0));
