/** Starts the real command as a user does, on a free port, with the shared model file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCodeOf } from '../../src/error-code.ts';
import { obtainTestModel } from '../model/test-model.ts';

const command = fileURLToPath(new URL('../../bin/perigee.js', import.meta.url));

export interface PerigeeProcess {
  readonly url: string;
  readonly apiKey: string;
  /** Everything printed up to now. */
  output(): string;
  /** Resolves when the model is loaded. */
  readonly ready: Promise<void>;
  readonly child: ChildProcess;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

export interface StartOptions {
  readonly dataDir: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** How it is started; default: `perigee serve` of this repository on a free port. */
  readonly program?: StartProgram;
}

export interface StartProgram {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly cwd: string;
}

const ownProgram: StartProgram = { file: process.execPath, arguments: [command, 'serve'], cwd: '.' };

const apiKey = 'test-key-0123456789-0123456789-0123456789';

/** Resolves when the server listens. Rejects with what it printed when it ends before. */
export async function startPerigee({
  dataDir,
  environment = {},
  program = ownProgram,
}: StartOptions): Promise<PerigeeProcess> {
  const model = await obtainTestModel();
  const modelsDir = path.join(dataDir, 'models');
  await mkdir(modelsDir, { recursive: true });
  await symlink(model.path, path.join(modelsDir, path.basename(model.path))).catch((error: unknown) => {
    // A second start in one folder finds the link of the first.
    if (errorCodeOf(error) !== 'EEXIST') throw error;
  });
  // npm does not pass a signal on to what it started, so it gets a group of its own, as at a terminal.
  const isGroup = program !== ownProgram;
  const child = spawn(program.file, program.arguments, {
    cwd: program.cwd,
    detached: isGroup,
    env: {
      ...process.env,
      PERIGEE_DATA_DIR: dataDir,
      PERIGEE_PORT: '0',
      PERIGEE_BOOTSTRAP_API_KEY: apiKey,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  const take = (text: string): void => {
    output += text;
    for (const check of waiting) check();
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));

  const waitFor = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(output);
        if (match === null) return;
        waiting.delete(check);
        resolve(match);
      };
      waiting.add(check);
      check();
      void exited.then(() => reject(new Error(`perigee ended before it printed ${pattern}:\n${output}`)));
    });

  const listening = await waitFor(/Listening on (\S+)/);
  const ready = waitFor(/Ready after/).then(() => undefined);
  // Whoever does not wait for it must not be struck by its failure.
  ready.catch(() => undefined);
  return {
    url: listening[1] ?? '',
    apiKey,
    output: () => output,
    ready,
    child,
    stop: () => {
      // Negative: the whole group.
      if (isGroup && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      else child.kill('SIGTERM');
      return exited;
    },
  };
}
