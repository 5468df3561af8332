import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * Runs a Node program, kills it (SIGKILL) once it has printed `lineCount` lines, and returns every line that it
 * managed to print: what was in the pipe when it died counts.
 */
export async function killAfterLines(
  program: string,
  programArguments: readonly string[],
  lineCount: number,
): Promise<readonly string[]> {
  const child = spawn(process.execPath, [program, ...programArguments], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    printed.push(line);
    if (printed.length === lineCount) {
      child.kill('SIGKILL');
    }
  });
  await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return printed;
}
