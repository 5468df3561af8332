import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../bin/perigee.js', import.meta.url));

export interface FinishedCommand {
  readonly exitCode: number | null;
  /** Standard output. */
  readonly output: string;
  /** Standard error. */
  readonly notes: string;
}

/** Runs `perigee` to its end in a process of its own. */
export function runCommand(
  arguments_: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<FinishedCommand> {
  // What the tests themselves are given is no setting, and every command would say so.
  const { PERIGEE_TEST_POSTGRES_URL: _postgres, PERIGEE_TEST_REDIS_URL: _redis, ...ours } = process.env;
  const child = spawn(process.execPath, [command, ...arguments_], {
    env: { ...ours, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let notes = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    notes += text;
  });
  return new Promise((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, output, notes }));
  });
}
