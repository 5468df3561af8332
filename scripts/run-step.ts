/** Runs the steps of `npm start` and `npm test`, each under a heading, and stops at the first that fails. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('..', import.meta.url));

const isTerminal = process.stdout.isTTY === true;

/** Prints a line that the eye finds again in a long log. */
export function printHeading(text: string): void {
  process.stdout.write(isTerminal ? `\n\u001b[1m── ${text}\u001b[0m\n` : `\n── ${text}\n`);
}

/** Runs a tool of `node_modules/.bin` in the repository; resolves to its exit code. */
export async function runTool(tool: string, arguments_: readonly string[]): Promise<number> {
  return await waitForEnd(tool, startTool(tool, arguments_, 'inherit'));
}

/** As `runTool`, for tools that run side by side: what they print is kept, or their lines would mix. */
export async function runToolAside(
  tool: string,
  arguments_: readonly string[],
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const child = startTool(tool, arguments_, 'pipe');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const exitCode = await waitForEnd(tool, child);
  return { exitCode, output };
}

function startTool(tool: string, arguments_: readonly string[], output: 'inherit' | 'pipe'): ChildProcess {
  const binFolder = path.join(repositoryRoot, 'node_modules', '.bin');
  return spawn(tool, arguments_, {
    cwd: repositoryRoot,
    stdio: ['inherit', output, output],
    env: { ...process.env, PATH: `${binFolder}${path.delimiter}${process.env.PATH}` },
    // On Windows the tools are .cmd files, which only a shell starts.
    shell: process.platform === 'win32',
  });
}

function waitForEnd(tool: string, child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`${tool} could not be started: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Says so and returns false when this Node.js is older than the project needs. */
export function checkNodeVersion(): boolean {
  if (Number(process.versions.node.split('.')[0]) >= 24) return true;
  process.stderr.write(
    `This is Node.js ${process.versions.node}; Perigee needs 24. \`npm ci\` installs it as an optional dependency ` +
      'and npm scripts find it first: run `npm ci` without --omit=optional, then use `npm test` and `npm start`.\n',
  );
  return false;
}
