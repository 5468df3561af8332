/**
 * What caching is worth: the first token of a prompt that was never seen, whose beginning is in memory, and whose
 * beginning is read back from disk by the next process; what it costs those who share nothing; and what it saves.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ObtainedModel } from '../../src/models/obtain-model.ts';
import { createFreshPrompt } from '../engine/prompts.ts';
import { median, quantile } from '../statistics.ts';
import { comparePrices, type PriceFigures } from './compare-prices.ts';
import { type PrefixHost, startPrefixHost } from './prefix-host.ts';

export interface FirstTokenFigures {
  readonly tokens: number;
  /** Milliseconds, medians. */
  readonly coldMs: number;
  readonly memoryMs: number;
  readonly restoredMs: number;
}

export interface CachingReport extends PriceFigures {
  readonly model: string;
  readonly threads: number;
  readonly firstTokens: readonly FirstTokenFigures[];
  /** Tokens computed for eight requests with one prefix, over the tokens of one such request. */
  readonly sharedPrefills: number;
  /** Time of requests that share nothing, with all of caching over without any. */
  readonly overhead: number;
}

const sizesDefault = [500, 2_000, 7_000];
const questionTokens = 20;
const rounds = 3;
/** Of requests that share nothing, with caching and without. */
const overheadRounds = 16;
/** A long question, and some that come and go before the next one. */
const unsharedTokens = [500, 150, 150, 150];
/** A prompt so long is measured once: computing it takes half a minute, beside which everything else is noise. */
const longTokens = 5_000;
const threads = 2;
const diskBytesMax = 2e9;

export async function runCachingBench(
  model: ObtainedModel,
  report: (line: string) => void,
  sizes: readonly number[] = sizesDefault,
): Promise<CachingReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-caching-bench-'));
  const hosts: PrefixHost[] = [];
  const start: Start = async (changes = {}) => {
    const host = await startPrefixHost({
      modelPath: model.path,
      modelDigest: model.sha256,
      threads,
      kvCells: changes.kvCells ?? 16_384,
      contextTokens: 8_192,
      kept: changes.isCaching === false ? undefined : { folder, bytesMax: diskBytesMax },
    });
    hosts.push(host);
    return host;
  };
  try {
    const prices = await comparePrices(model.path);
    report('caching: prices compared');
    const firstTokens: FirstTokenFigures[] = [];
    for (const tokens of sizes) {
      firstTokens.push(await measureFirstTokens(start, tokens));
      report(`caching: first tokens of ${tokens} measured`);
    }
    const sharedPrefills = await measureSharing(start);
    report('caching: eight at once measured');
    const overhead = await measureOverhead(start);
    report('caching: overhead measured');
    return {
      model: model.weights,
      threads,
      firstTokens,
      sharedPrefills,
      overhead,
      ...prices,
    };
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}

type Start = (changes?: { readonly kvCells?: number; readonly isCaching?: boolean }) => Promise<PrefixHost>;

async function measureFirstTokens(start: Start, tokens: number): Promise<FirstTokenFigures> {
  const cold: number[] = [];
  const memory: number[] = [];
  const restored: number[] = [];
  const prefixes = Array.from({ length: tokens < longTokens ? rounds : 1 }, () =>
    createFreshPrompt(tokens - questionTokens),
  );
  const withQuestion = (prefix: string) => `${prefix} ${createFreshPrompt(questionTokens)}`;
  const first = await start();
  await first.ask(createFreshPrompt(64)); // Pages the file in and warms the compiler.
  for (const [round, prefix] of prefixes.entries()) {
    cold.push((await first.ask(withQuestion(prefix))).firstTokenMs);
    memory.push((await first.ask(withQuestion(prefix))).firstTokenMs);
    await first.pin(prefix, `bench-${tokens}-${round}`);
  }
  await first.close();
  const second = await start();
  await second.ask(createFreshPrompt(64));
  for (const prefix of prefixes) {
    const { firstTokenMs, cachedTokens, promptTokens } = await second.ask(withQuestion(prefix));
    if (cachedTokens < promptTokens - 2 * questionTokens) throw new Error('the prefix was not read back');
    restored.push(firstTokenMs);
  }
  await second.close();
  return { tokens, coldMs: median(cold), memoryMs: median(memory), restoredMs: median(restored) };
}

async function measureSharing(start: Start): Promise<number> {
  const host = await start();
  const prefix = createFreshPrompt(2_000);
  const before = (await host.stats()).prefilledTokensTotal;
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => host.ask(`${prefix} ${createFreshPrompt(questionTokens)}`)),
  );
  const computed = (await host.stats()).prefilledTokensTotal - before;
  await host.close();
  return computed / Math.max(...answers.map(({ promptTokens }) => promptTokens));
}

/** So small a cache that every prompt evicts another one, which is then written to disk. */
async function measureOverhead(start: Start): Promise<number> {
  const caching = await start({ kvCells: 2_048 });
  const plain = await start({ kvCells: 2_048, isCaching: false });
  const times = { caching: newTimes(), plain: newTimes() };
  for (let round = 0; round < overheadRounds; round++) {
    for (const [position, tokens] of unsharedTokens.entries()) {
      const turns = [
        { host: caching, times: times.caching },
        { host: plain, times: times.plain },
      ];
      // The order changes, so that a machine that warms up or throttles favours nobody.
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
        const startedAt = performance.now();
        await turn.host.ask(createFreshPrompt(tokens), 32);
        turn.times[position]?.push(performance.now() - startedAt);
      }
    }
  }
  await Promise.all([caching.close(), plain.close()]);
  return quickSum(times.caching) / quickSum(times.plain);
}

/** A list for each of the requests of a round. */
const newTimes = (): number[][] => unsharedTokens.map(() => []);

/** What else the machine does only ever adds to a time, and by more than the bound: the quicker quarter is ours. */
const quickSum = (times: readonly (readonly number[])[]): number =>
  times.reduce((sum, ofRequest) => sum + quantile(ofRequest, 0.25), 0);
