/** The servers that the gateway benchmark compares, each started fresh in front of the mock upstream. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findFreePort, type MeasuredProcess, startMeasured } from '../measured-process.ts';
import type { Target } from './load-protocol.ts';

export interface RunningSubject {
  readonly target: Target;
  readonly process: MeasuredProcess;
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** Undefined = measurable here; else why not. */
  readonly missing?: string;
  start(upstreamPort: number): Promise<RunningSubject>;
}

const benchDir = path.join(import.meta.dirname, '..');
const portkeyPath = path.join(benchDir, 'peers/node_modules/@portkey-ai/gateway/build/start-server.js');
const mainPath = path.join(benchDir, '../src/main.ts');
const chatPath = '/v1/chat/completions';
export const modelName = 'moonshot/kimi-k2-turbo-preview';

/** The fixed key of `createTestApp`. */
const anyKey = 'a-key-that-is-long-enough-for-a-test';

const createKey = () => randomBytes(24).toString('hex');

function createTarget(port: number, headers: Readonly<Record<string, string>>): Target {
  const origin = `http://127.0.0.1:${port}`;
  return { origin, path: chatPath, headers: { 'content-type': 'application/json', ...headers } };
}

const relay: Subject = {
  name: 'relay',
  async start(upstreamPort) {
    const key = createKey();
    const port = await findFreePort();
    const upstream = `http://127.0.0.1:${upstreamPort}`;
    const process = await startMeasured({
      command: globalThis.process.execPath,
      args: [path.join(import.meta.dirname, 'relay.ts'), String(port), upstream, key],
      readyUrl: `http://127.0.0.1:${port}/health`,
    });
    return {
      target: createTarget(port, { authorization: `Bearer ${key}` }),
      process,
      stop: process.stop,
    };
  },
};

/** A server of ours that takes any key, started on a free port by a Node program. */
export async function startWith(argsOf: (port: number) => readonly string[]): Promise<RunningSubject> {
  const port = await findFreePort();
  const process = await startMeasured({
    command: globalThis.process.execPath,
    args: argsOf(port),
    readyUrl: `http://127.0.0.1:${port}/health`,
  });
  return { target: createTarget(port, { authorization: `Bearer ${anyKey}` }), process, stop: process.stop };
}

const portkey: Subject = {
  name: 'Portkey',
  ...(existsSync(portkeyPath) ? {} : { missing: 'not installed in bench/peers' }),
  async start(upstreamPort) {
    const port = await findFreePort();
    const process = await startMeasured({
      command: globalThis.process.execPath,
      args: [portkeyPath, `--port=${port}`, '--headless'],
      environment: { NODE_ENV: 'production' },
      readyUrl: `http://127.0.0.1:${port}/`,
    });
    const headers = {
      authorization: `Bearer ${createKey()}`,
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
    };
    return { target: createTarget(port, headers), process, stop: process.stop };
  },
};

/** Key check, meter, limits, usage log: everything a paying caller passes through. */
export const perigee: Subject = {
  name: 'Perigee',
  async start(upstreamPort) {
    const key = createKey();
    const port = await findFreePort();
    const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-bench-'));
    const engine = {
      kind: 'openai-compatible',
      base_url: `http://127.0.0.1:${upstreamPort}/v1`,
      model: 'mock',
      connections_max: 8_192,
    };
    const process = await startMeasured({
      command: globalThis.process.execPath,
      args: [mainPath, 'serve', '--port', String(port), '--data-dir', dataDir, '--model', 'none'],
      environment: {
        PERIGEE_BOOTSTRAP_API_KEY: key,
        PERIGEE_ENGINES: JSON.stringify({ mock: engine }),
        PERIGEE_MODELS: JSON.stringify({ [modelName]: { engine: 'mock' } }),
      },
      readyUrl: `http://127.0.0.1:${port}/health`,
    });
    const stop = async () => {
      await process.stop();
      rmSync(dataDir, { recursive: true, force: true });
    };
    return { target: createTarget(port, { authorization: `Bearer ${key}` }), process, stop };
  },
};

/** Our own first, then the yardsticks. */
export const subjects: readonly Subject[] = [perigee, relay, portkey];
