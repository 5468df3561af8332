/**
 * Builds llama-server and llama-quantize, natively for this CPU, from the llama.cpp source bundle that ships inside
 * node-llama-cpp: the same source as the libllama that the embedded engine loads. Needs git, cmake and a C++
 * compiler; takes 7 to 15 minutes on two cores. Run it once: `node bench/peers/build-llama-server.ts [jobs]`.
 * Everything lands in `bench/.peers/`, which git ignores.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const peersDir = join(import.meta.dirname, '..', '.peers');
const bundlePath = join(import.meta.dirname, 'node_modules', 'node-llama-cpp', 'llama', 'gitRelease.bundle');
const sourceDir = join(peersDir, 'llama.cpp-source');
const buildDir = join(peersDir, 'llama.cpp-build');

/** Where the built programs lie, whether or not they exist yet. */
export const llamaServerPath = join(buildDir, 'bin', 'llama-server');
export const llamaQuantizePath = join(buildDir, 'bin', 'llama-quantize');

function execute(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) throw new Error(`${command} could not be started`, { cause: error });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with status ${status}`);
}

function build(jobs: number): void {
  if (!existsSync(bundlePath))
    throw new Error(`${bundlePath} is missing: run \`npm ci --omit=optional\` in bench/peers`);
  mkdirSync(peersDir, { recursive: true });
  if (!existsSync(sourceDir)) execute('git', ['clone', '--quiet', bundlePath, sourceDir]);
  execute('cmake', [
    '-S',
    sourceDir,
    '-B',
    buildDir,
    '-DCMAKE_BUILD_TYPE=Release',
    '-DBUILD_SHARED_LIBS=OFF',
    '-DGGML_NATIVE=ON',
    '-DLLAMA_OPENSSL=OFF',
    '-DLLAMA_BUILD_TESTS=OFF',
    '-DLLAMA_BUILD_EXAMPLES=OFF',
    '-DLLAMA_BUILD_APP=OFF',
    '-DLLAMA_BUILD_UI=OFF',
    '-DLLAMA_USE_PREBUILT_UI=OFF',
  ]);
  const targets = ['--target', 'llama-quantize', '--target', 'llama-server'];
  execute('cmake', ['--build', buildDir, '--config', 'Release', '-j', String(jobs), ...targets]);
}

if (import.meta.main) build(Number(process.argv[2] ?? 2));
