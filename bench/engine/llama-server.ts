/** The main yardstick: llama.cpp's own server, built natively from the source that our libllama comes from. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { findFreePort, startMeasured } from '../measured-process.ts';
import { llamaServerPath } from '../peers/build-llama-server.ts';
import {
  createRecorder,
  type EngineOptions,
  type EngineSubject,
  type Generated,
  type Generation,
  type RunningEngine,
} from './engine-subject.ts';
import { readSse } from './read-sse.ts';

interface CompletionEvent {
  readonly content?: string;
  readonly stop?: boolean;
  readonly tokens_predicted?: number;
  readonly tokens_evaluated?: number;
  readonly timings?: { readonly cache_n?: number };
}

async function generate(origin: string, generation: Generation): Promise<Generated> {
  const recorder = createRecorder(generation);
  const body = {
    prompt: generation.prompt,
    n_predict: generation.tokensMax,
    temperature: 0,
    stream: true,
    cache_prompt: true,
    ...(generation.jsonSchema === undefined ? {} : { json_schema: generation.jsonSchema }),
    ...(generation.topLogprobs === undefined ? {} : { n_probs: generation.topLogprobs }),
  };
  for await (const payload of readSse({ url: `${origin}/completion`, body, signal: generation.signal })) {
    const event: CompletionEvent = payload;
    if (event.stop !== true) {
      recorder.addOutput(event.content ?? '');
      continue;
    }
    return recorder.finish({
      completionTokens: event.tokens_predicted ?? 0,
      promptTokens: event.tokens_evaluated ?? 0,
      cachedTokens: event.timings?.cache_n,
    });
  }
  throw new Error('llama-server ended its stream without a last event');
}

async function waitUntilIdle(origin: string): Promise<void> {
  for (;;) {
    const { body } = await request(`${origin}/slots`);
    const slots = (await body.json()) as { is_processing: boolean }[]; // llama-server's README: GET /slots.
    if (slots.every((slot) => !slot.is_processing)) return;
    await sleep(2);
  }
}

async function start(options: EngineOptions): Promise<RunningEngine> {
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = await startMeasured({
    command: llamaServerPath,
    args: [
      ...['--model', options.modelPath, '--port', String(port), '--threads', String(options.threads)],
      ...['--parallel', String(options.parallel), '--batch-size', '512'],
      ...['--ctx-size', String(options.parallel * options.contextTokens), '--no-ui'],
    ],
    readyUrl: `${origin}/health`,
  });
  return {
    generate: (generation) => generate(origin, generation),
    waitUntilIdle: () => waitUntilIdle(origin),
    stop: server.stop,
  };
}

export const llamaServer: EngineSubject = {
  name: 'llama-server',
  ...(existsSync(llamaServerPath) ? {} : { missing: 'not built: node bench/peers/build-llama-server.ts' }),
  hasLogprobs: true,
  start,
};
