/** Our whole server, as a caller sees it: HTTP, key, meter, template, engine. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { request } from 'undici';
import { findFreePort, startMeasured } from '../measured-process.ts';
import {
  createRecorder,
  type EngineOptions,
  type EngineSubject,
  type Generated,
  type Generation,
  type RunningEngine,
} from './engine-subject.ts';
import { readSse } from './read-sse.ts';
import type { EventLoopDelay } from './watch-event-loop.ts';

interface Chunk {
  readonly choices?: readonly {
    readonly delta: { readonly content?: string };
    readonly usage?: {
      readonly prompt_tokens: number;
      readonly completion_tokens: number;
      readonly cached_tokens: number;
    };
  }[];
}

/** The prompt is the beginning of the answer (`partial`), so that it goes on as with the bare engines. */
function createBody({ prompt, tokensMax, topLogprobs, jsonSchema }: Generation): object {
  const go = { role: 'user', content: 'Go on.' };
  return {
    model: 'moonshot/kimi-k2-turbo-preview',
    stream: true,
    temperature: 0,
    max_tokens: tokensMax,
    ...(topLogprobs !== undefined && { logprobs: true, top_logprobs: topLogprobs }),
    ...(jsonSchema === undefined
      ? { messages: [go, { role: 'assistant', content: prompt, partial: true }] }
      : {
          messages: [{ role: 'user', content: prompt }],
          response_format: { type: 'json_schema', json_schema: { name: 'value', schema: jsonSchema } },
        }),
  };
}

async function generate(origin: string, key: string, generation: Generation): Promise<Generated> {
  const recorder = createRecorder(generation);
  let completionTokens = 0;
  let promptTokens = 0;
  let cachedTokens = 0;
  const post = {
    url: `${origin}/v1/chat/completions`,
    headers: { authorization: `Bearer ${key}` },
    body: createBody(generation),
    signal: generation.signal,
  };
  for await (const payload of readSse(post)) {
    const { choices = [] }: Chunk = payload;
    for (const { delta, usage } of choices) {
      if (delta.content) recorder.addOutput(delta.content);
      if (usage === undefined) continue;
      completionTokens = usage.completion_tokens;
      promptTokens = usage.prompt_tokens;
      cachedTokens = usage.cached_tokens;
    }
  }
  return recorder.finish({ completionTokens, promptTokens, cachedTokens });
}

async function start(options: EngineOptions): Promise<RunningEngine> {
  const key = randomBytes(24).toString('hex');
  const [port, probePort] = [await findFreePort(), await findFreePort()];
  const origin = `http://127.0.0.1:${port}`;
  const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-bench-'));
  const server = await startMeasured({
    command: process.execPath,
    args: [
      ...['--import', path.join(import.meta.dirname, 'event-loop-probe.ts')],
      ...[path.join(import.meta.dirname, '../../src/main.ts'), 'serve', '--port', String(port)],
      ...['--data-dir', dataDir, '--model', options.modelPath, '--threads', String(options.threads)],
      ...['--context-tokens', String(options.contextTokens)],
      ...['--kv-cells', String(options.parallel * options.contextTokens)],
    ],
    environment: {
      PERIGEE_BOOTSTRAP_API_KEY: key,
      PERIGEE_BENCH_PROBE_PORT: String(probePort),
    },
    readyUrl: `${origin}/ready`,
  });
  const readDelay = async (): Promise<EventLoopDelay> => {
    const { body } = await request(`http://127.0.0.1:${probePort}/`);
    return (await body.json()) as EventLoopDelay; // The probe's only answer.
  };
  return {
    generate: (generation) => generate(origin, key, generation),
    watchEventLoop: () => {
      const reset = readDelay();
      return async () => {
        await reset;
        return readDelay();
      };
    },
    async stop() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export const perigeeHttp: EngineSubject = { name: 'Perigee, HTTP', hasLogprobs: true, start };
