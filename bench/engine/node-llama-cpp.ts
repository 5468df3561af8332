/** The second yardstick: node-llama-cpp's public API, in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { measure } from '../measured-process.ts';
import {
  createRecorder,
  type EngineOptions,
  type EngineSubject,
  type Generated,
  type Generation,
  type RunningEngine,
} from './engine-subject.ts';
import type { PeerAnswer, PeerCommand } from './node-llama-cpp-protocol.ts';

const peersDir = path.join(import.meta.dirname, '../peers');

interface Waiting {
  readonly recorder: ReturnType<typeof createRecorder>;
  resolve(generated: Generated): void;
  reject(error: Error): void;
}

class NodeLlamaCpp implements RunningEngine {
  readonly #host: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  private constructor(host: ChildProcess) {
    this.#host = host;
  }

  static async start(options: EngineOptions): Promise<NodeLlamaCpp> {
    const host = fork(path.join(peersDir, 'node-llama-cpp-host.ts'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const engine = new NodeLlamaCpp(host);
    await new Promise<void>((resolve, reject) => {
      host.on('message', (message) => {
        const answer = message as PeerAnswer; // The host's only messages.
        if (answer.type === 'loaded') resolve();
        else engine.#take(answer);
      });
      host.once('exit', () => reject(new Error('node-llama-cpp ended')));
      engine.#send({ type: 'load', options });
    });
    return engine;
  }

  #send(command: PeerCommand): void {
    this.#host.send(command);
  }

  #take(answer: Exclude<PeerAnswer, { type: 'loaded' }>): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    if (answer.type === 'output') {
      waiting.recorder.addOutput(answer.text);
      return;
    }
    this.#waiting.delete(answer.id);
    if (answer.type === 'end') waiting.resolve(waiting.recorder.finish(answer));
    else waiting.reject(new Error(`node-llama-cpp: ${answer.detail}`));
  }

  generate(generation: Generation): Promise<Generated> {
    const id = ++this.#lastId;
    const { prompt, tokensMax, jsonSchema, signal } = generation;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { recorder: createRecorder(generation), resolve, reject });
      signal?.addEventListener('abort', () => this.#send({ type: 'abort', id }));
      this.#send({ type: 'generate', id, prompt, tokensMax, jsonSchema });
    });
  }

  /** Idle = a request after the others is answered: its own time is a few milliseconds. */
  async waitUntilIdle(): Promise<void> {
    await this.generate({ prompt: 'Hi', tokensMax: 1 });
  }

  stop(): Promise<void> {
    return measure(this.#host).stop();
  }
}

export const nodeLlamaCpp: EngineSubject = {
  name: 'node-llama-cpp',
  ...(existsSync(path.join(peersDir, 'node_modules/node-llama-cpp'))
    ? {}
    : { missing: 'not installed in bench/peers' }),
  hasLogprobs: false,
  start: (options) => NodeLlamaCpp.start(options),
};
