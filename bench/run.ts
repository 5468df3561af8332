/**
 * `npm run bench [-- gateway|engine|store|platform|web-search|caching [500,2000]]`: measures our server and the yardsticks in
 * one run, prints the tables and writes bench/results.md. What was not asked for keeps its last figures. `-- caching-soak [minutes]` only checks.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ObtainedModel, obtainModel } from '../src/models/obtain-model.ts';
import type { CachingReport } from './caching/run-caching.ts';
import { describeMachine } from './describe-machine.ts';
import type { BenchedModel, EngineReport } from './engine/run-engine.ts';
import type { GatewayReport } from './gateway/run-gateway.ts';
import { llamaQuantizePath } from './peers/build-llama-server.ts';
import { installPeers, peerVersions } from './peers/install-peers.ts';
import type { PlatformReport } from './platform/run-platform.ts';
import { type BenchResults, renderResults } from './render-results.ts';
import type { StoreReport } from './store/run-store.ts';
import type { WebSearchBenchReport } from './web-search/run-web-search.ts';

const benchDir = import.meta.dirname;
const peersDir = path.join(benchDir, '.peers');
const resultsPath = path.join(benchDir, 'results.md');
/** The figures behind results.md, so that one half can be measured again alone. */
const figuresPath = path.join(peersDir, 'figures.json');

const report = (line: string) => void process.stdout.write(`${line}\n`);

const obtainPreset = async (): Promise<ObtainedModel> =>
  await obtainModel('smollm2-135m', {
    modelsDir: path.join(benchDir, '../.cache/models'),
    hubUrl: 'https://huggingface.co',
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });

/** The default preset, and the same weights as Q4_0, which the targets are about, where llama-quantize was built. */
async function obtainModels(): Promise<BenchedModel[]> {
  const preset = await obtainPreset();
  const models = [{ name: preset.weights, path: preset.path, rounds: 1, isWhole: false }];
  if (!existsSync(llamaQuantizePath)) return models;
  const quantized = path.join(peersDir, 'smollm2-135m-q4_0.gguf');
  if (!existsSync(quantized)) {
    spawnSync(llamaQuantizePath, ['--allow-requantize', preset.path, quantized, 'Q4_0'], { stdio: 'ignore' });
  }
  const name = 'SmolLM2-135M-Instruct Q4_0 (requantized)';
  return [{ name, path: quantized, rounds: 3, isWhole: true }, ...models];
}

async function measureGateway(): Promise<GatewayReport> {
  const { runGatewayBench } = await import('./gateway/run-gateway.ts');
  return runGatewayBench(report);
}

async function measureEngine(): Promise<EngineReport[]> {
  const { runEngineBench } = await import('./engine/run-engine.ts');
  const reports: EngineReport[] = [];
  for (const model of await obtainModels()) reports.push(await runEngineBench(model, report));
  return reports;
}

function readFigures(): Partial<BenchResults> {
  return existsSync(figuresPath) ? JSON.parse(readFileSync(figuresPath, 'utf8')) : {};
}

/** `sizes`: prompt lengths to measure, such as `500,2000`. */
async function measureCaching(sizes: string | undefined): Promise<CachingReport> {
  const { runCachingBench } = await import('./caching/run-caching.ts');
  return runCachingBench(await obtainPreset(), report, sizes?.split(',').map(Number));
}

async function measureStore(): Promise<StoreReport> {
  const { runStoreBench } = await import('./store/run-store.ts');
  return runStoreBench(report);
}

async function measurePlatform(): Promise<PlatformReport> {
  const { runPlatformBench } = await import('./platform/run-platform.ts');
  return runPlatformBench(report);
}

async function measureWebSearch(): Promise<WebSearchBenchReport> {
  const { runWebSearchBench } = await import('./web-search/run-web-search.ts');
  return runWebSearchBench(await obtainPreset(), report);
}

async function soakCaching(minutes: string | undefined): Promise<void> {
  const { runCachingSoak } = await import('./caching/soak.ts');
  await runCachingSoak(await obtainPreset(), Number(minutes ?? 10), report);
}

const parts = ['gateway', 'engine', 'caching', 'store', 'platform', 'web-search'];
/** The yardsticks of the other programs are no part of what these are measured against. */
const partsAlone = ['caching', 'store', 'platform', 'web-search'];

async function run(part: string | undefined, argument: string | undefined): Promise<void> {
  if (part === 'caching-soak') return soakCaching(argument);
  if (part !== undefined && !parts.includes(part)) {
    throw new Error(`unknown benchmark \`${part}\`: npm run bench [-- ${parts.join('|')}|caching-soak]`);
  }
  if (part === undefined || !partsAlone.includes(part)) installPeers();
  const machine = describeMachine(peerVersions);
  report(machine.join('\n'));
  const results: BenchResults = {
    ...readFigures(),
    ...((part ?? 'gateway') === 'gateway' && { gateway: { machine, report: await measureGateway() } }),
    ...((part ?? 'engine') === 'engine' && { engine: { machine, reports: await measureEngine() } }),
    ...((part ?? 'caching') === 'caching' && {
      caching: { machine, report: await measureCaching(argument) },
    }),
    ...((part ?? 'platform') === 'platform' && {
      platform: { machine, report: await measurePlatform() },
    }),
    ...((part ?? 'web-search') === 'web-search' && {
      webSearch: { machine, report: await measureWebSearch() },
    }),
    ...((part ?? 'store') === 'store' && { store: { machine, report: await measureStore() } }),
  };
  mkdirSync(peersDir, { recursive: true });
  writeFileSync(figuresPath, JSON.stringify(results));
  const text = renderResults(results);
  writeFileSync(resultsPath, text);
  report(`\n${text}\nWritten to ${path.relative(process.cwd(), resultsPath)}.`);
}

await run(process.argv[2], process.argv[3]);
