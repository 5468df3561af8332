/** Our engine as the server uses it: the supervisor in this process, libllama in its child. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Supervisor } from '../../src/engines/llama/supervisor.ts';
import {
  createRecorder,
  type EngineOptions,
  type EngineSubject,
  type Generated,
  type Generation,
  type RunningEngine,
} from './engine-subject.ts';
import { watchOwnEventLoop } from './watch-event-loop.ts';

/** As the server's own setting is by default. */
const prefixBytesMax = 4 * 2 ** 30;

async function generate(host: Supervisor, generation: Generation): Promise<Generated> {
  const recorder = createRecorder(generation);
  const { promptId } = await host.tokenize([{ text: generation.prompt, isControl: false }]);
  const events = host.generate(
    {
      promptId,
      tenant: 'bench',
      choices: [{ choice: 0, seed: 1 }],
      temperature: 0,
      topP: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      stop: [],
      outputTokensMax: generation.tokensMax,
      topLogprobs: generation.topLogprobs,
      grammar:
        generation.jsonSchema === undefined
          ? undefined
          : { type: 'json-schema', schema: generation.jsonSchema },
      isDeterministic: false,
    },
    generation.signal ?? new AbortController().signal,
  );
  let completionTokens = 0;
  for await (const event of events) {
    if (event.type === 'output') {
      for (const piece of event.pieces) recorder.addOutput(piece.type === 'text' ? piece.text : '');
    } else if (event.type === 'choice-end') completionTokens = event.completionTokens;
    else if (event.type === 'error') throw new Error(event.detail);
    else if (event.type === 'end') return recorder.finish({ completionTokens, ...event });
  }
  throw new Error('the generation has no end');
}

async function waitUntilIdle(host: Supervisor): Promise<void> {
  for (;;) {
    const stats = await host.stats();
    if (stats?.runningSequences === 0 && stats.queuedGenerations === 0) return;
    await sleep(2);
  }
}

async function start(options: EngineOptions): Promise<RunningEngine> {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-bench-'));
  const host = new Supervisor({
    load: {
      modelPath: options.modelPath,
      kvCells: options.parallel * options.contextTokens,
      contextTokensMax: options.contextTokens,
      threads: options.threads,
      kvType: 'f16',
      prefixFiles: { folder, bytesMax: prefixBytesMax, modelDigest: path.basename(options.modelPath) },
    },
    queueLengthMax: 64,
  });
  await host.settled();
  return {
    generate: (generation) => generate(host, generation),
    waitUntilIdle: () => waitUntilIdle(host),
    watchEventLoop: watchOwnEventLoop,
    async stop() {
      await host.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const perigeeChild: EngineSubject = { name: 'Perigee, child process', hasLogprobs: true, start };
