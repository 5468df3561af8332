/** A supervisor over the real model, and short ways to talk to it. */
import type {
  GenerationEvent,
  GenerationSpec,
  LoadOptions,
  PromptPiece,
} from '../../src/engines/llama/protocol.ts';
import { Supervisor, type SupervisorStats } from '../../src/engines/llama/supervisor.ts';
import { greedySpec } from '../../src/engines/llama/testing/generation-spec.ts';
import { obtainTestModel } from './test-model.ts';

export interface Answer {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly events: readonly GenerationEvent[];
  /** Text of the choices, in order. */
  readonly texts: readonly string[];
}

export interface HostSession {
  readonly supervisor: Supervisor;
  /** Begins a generation; the events are read by whoever iterates. */
  begin(
    prompt: string,
    spec?: Partial<GenerationSpec>,
    signal?: AbortSignal,
  ): Promise<AsyncGenerator<GenerationEvent>>;
  ask(prompt: string, spec?: Partial<GenerationSpec>): Promise<Answer>;
  stats(): Promise<SupervisorStats>;
}

/** One user turn in ChatML, as the template of SmolLM2 writes it. */
export function chatPieces(text: string): PromptPiece[] {
  return [
    { text: '<|im_start|>', isControl: true },
    { text: `user\n${text}`, isControl: false },
    { text: '<|im_end|>', isControl: true },
    { text: '\n', isControl: false },
    { text: '<|im_start|>', isControl: true },
    { text: 'assistant\n', isControl: false },
  ];
}

/** @param load differences from a small cache of 4,096 cells */
export async function startHost(load: Partial<LoadOptions> = {}, queueLengthMax = 64): Promise<HostSession> {
  const { path } = await obtainTestModel();
  const supervisor = new Supervisor({
    load: {
      modelPath: path,
      kvCells: 4096,
      contextTokensMax: 4096,
      // Two that wait for each other on a busy machine are many times slower than one that need not.
      threads: 1,
      kvType: 'f16',
      prefixCacheCells: 4096,
      ...load,
    },
    queueLengthMax,
  });
  await supervisor.settled();
  const health = supervisor.health();
  if (health.state !== 'ready') throw new Error(`the model is not ready: ${health.detail}`);

  const begin: HostSession['begin'] = async (prompt, spec = {}, signal = new AbortController().signal) => {
    const { promptId } = await supervisor.tokenize(chatPieces(prompt));
    return supervisor.generate({ ...greedySpec, ...spec, promptId }, signal);
  };
  return {
    supervisor,
    begin,
    ask: async (prompt, spec) => collect(await begin(prompt, spec)),
    async stats() {
      const stats = await supervisor.stats();
      if (stats === undefined) throw new Error('no statistics');
      return stats;
    },
  };
}

async function collect(stream: AsyncIterable<GenerationEvent>): Promise<Answer> {
  const events: GenerationEvent[] = [];
  const texts = new Map<number, string>();
  let end = { promptTokens: 0, cachedTokens: 0 };
  for await (const event of stream) {
    events.push(event);
    if (event.type === 'error') throw new Error(event.detail);
    if (event.type === 'end') end = event;
    if (event.type !== 'output') continue;
    const added = event.pieces.map((piece) => (piece.type === 'text' ? piece.text : piece.token)).join('');
    texts.set(event.choice, (texts.get(event.choice) ?? '') + added);
  }
  const { promptTokens, cachedTokens } = end;
  const ordered = [...texts].sort(([a], [b]) => a - b).map(([, text]) => text);
  return { promptTokens, cachedTokens, events, texts: ordered };
}
