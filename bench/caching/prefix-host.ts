/** Our engine as the server uses it, with a folder for computed prefixes, and a clock on the first token. */

import { Supervisor, type SupervisorStats } from '../../src/engines/llama/supervisor.ts';
import { greedySpec } from '../../src/engines/llama/testing/generation-spec.ts';

export interface PrefixHostOptions {
  readonly modelPath: string;
  readonly modelDigest: string;
  readonly threads: number;
  readonly kvCells: number;
  readonly contextTokens: number;
  /** Undefined = nothing is kept of a request that has ended. */
  readonly kept: { readonly folder: string; readonly bytesMax: number } | undefined;
}

export interface Asked {
  readonly firstTokenMs: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
}

export interface PrefixHost {
  /** One greedy token unless more are asked for; tokenizing counts. */
  ask(prompt: string, outputTokensMax?: number): Promise<Asked>;
  /** Computes the prompt and pins it. Throws when it could not be stored. */
  pin(prompt: string, name: string): Promise<void>;
  stats(): Promise<SupervisorStats>;
  close(): Promise<void>;
}

const signal = new AbortController().signal;

export async function startPrefixHost(options: PrefixHostOptions): Promise<PrefixHost> {
  const { modelPath, modelDigest, threads, kvCells, contextTokens, kept } = options;
  const host = new Supervisor({
    load: {
      modelPath,
      kvCells,
      contextTokensMax: contextTokens,
      threads,
      kvType: 'f16',
      prefixCacheCells: kept === undefined ? 0 : Math.floor(kvCells * 0.75),
      ...(kept !== undefined && { prefixFiles: { ...kept, modelDigest } }),
    },
    queueLengthMax: 64,
  });
  await host.settled();
  const pieces = (text: string) => [{ text, isControl: false }];
  const ask: PrefixHost['ask'] = async (prompt, outputTokensMax = 1) => {
    const startedAt = performance.now();
    const { promptId } = await host.tokenize(pieces(prompt));
    let firstTokenMs = Number.NaN;
    for await (const event of host.generate({ ...greedySpec, outputTokensMax, promptId }, signal)) {
      if (event.type === 'error') throw new Error(event.detail);
      if (event.type !== 'prefill' && Number.isNaN(firstTokenMs))
        firstTokenMs = performance.now() - startedAt;
      if (event.type !== 'end') continue;
      const { promptTokens, cachedTokens } = event;
      return { firstTokenMs, promptTokens, cachedTokens };
    }
    throw new Error('the generation has no end');
  };
  return {
    ask,
    async pin(prompt, name) {
      await ask(prompt);
      const { promptId } = await host.tokenize(pieces(prompt));
      if (!(await host.pin(promptId, greedySpec.tenant, name)))
        throw new Error(`${name} could not be stored`);
    },
    async stats() {
      const stats = await host.stats();
      if (stats === undefined) throw new Error('the engine is gone');
      return stats;
    },
    close: () => host.close(),
  };
}
