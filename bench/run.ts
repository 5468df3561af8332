/**
 * `npm run bench [-- gateway|engine]`: measures our server and the yardsticks in one run, prints the tables and
 * writes bench/results.md. The half that was not asked for keeps its last figures.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { obtainModel } from '../src/models/obtain-model.ts';
import { describeMachine } from './describe-machine.ts';
import type { EngineReport } from './engine/run-engine.ts';
import type { GatewayReport } from './gateway/run-gateway.ts';
import { llamaQuantizePath } from './peers/build-llama-server.ts';
import { installPeers, peerVersions } from './peers/install-peers.ts';
import { type BenchResults, renderResults } from './render-results.ts';

const benchDir = import.meta.dirname;
const peersDir = path.join(benchDir, '.peers');
const resultsPath = path.join(benchDir, 'results.md');
/** The figures behind results.md, so that one half can be measured again alone. */
const figuresPath = path.join(peersDir, 'figures.json');

const report = (line: string) => void process.stdout.write(`${line}\n`);

interface ModelFile {
  readonly name: string;
  readonly path: string;
}

/** The default preset, and the same weights as Q4_0 where llama-quantize was built. */
async function obtainModels(): Promise<ModelFile[]> {
  const preset = await obtainModel('smollm2-135m', {
    modelsDir: path.join(benchDir, '../.cache/models'),
    hubUrl: 'https://huggingface.co',
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
  const models = [{ name: preset.weights, path: preset.path }];
  if (!existsSync(llamaQuantizePath)) return models;
  const quantized = path.join(peersDir, 'smollm2-135m-q4_0.gguf');
  if (!existsSync(quantized)) {
    spawnSync(llamaQuantizePath, ['--allow-requantize', preset.path, quantized, 'Q4_0'], { stdio: 'ignore' });
  }
  return [{ name: 'SmolLM2-135M-Instruct Q4_0 (requantized)', path: quantized }, ...models];
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

async function run(part: string | undefined): Promise<void> {
  if (part !== undefined && part !== 'gateway' && part !== 'engine') {
    throw new Error(`unknown benchmark \`${part}\`: npm run bench [-- gateway|engine]`);
  }
  installPeers();
  const machine = describeMachine(peerVersions);
  report(machine.join('\n'));
  const results: BenchResults = {
    ...readFigures(),
    ...(part !== 'engine' && { gateway: { machine, report: await measureGateway() } }),
    ...(part !== 'gateway' && { engine: { machine, reports: await measureEngine() } }),
  };
  mkdirSync(peersDir, { recursive: true });
  writeFileSync(figuresPath, JSON.stringify(results));
  const text = renderResults(results);
  writeFileSync(resultsPath, text);
  report(`\n${text}\nWritten to ${path.relative(process.cwd(), resultsPath)}.`);
}

await run(process.argv[2]);
