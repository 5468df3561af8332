/**
 * The real server with the real model, as the tests across folders use it. One engine thread: the tests share a
 * small machine, and two threads that wait for each other there are many times slower than one that need not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type PerigeeProcess, startPerigee } from '../page-examples/start-perigee.ts';

export const modelName = 'moonshot/kimi-k2-turbo-preview';

export interface RunningServer {
  readonly process: PerigeeProcess;
  /** Address of the API, with `/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

/** Resolves when the model is loaded. */
export async function startServer(
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-e2e-'));
  const process = await startPerigee({
    dataDir,
    environment: { PERIGEE_THREADS: '1', ...environment },
  });
  await process.ready;
  return {
    process,
    baseUrl: `${process.url}/v1`,
    apiKey: process.apiKey,
    async stop() {
      await process.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
