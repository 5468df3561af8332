import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const module = new URL('./restart-with-flags.ts', import.meta.url);
const program = `
  import { restartWithFlags } from '${module}';
  console.log('begun');
  restartWithFlags();
  console.log(JSON.stringify({ pid: process.pid, flags: process.execArgv, words: process.argv.slice(2) }));`;

it.runIf(process.platform !== 'win32')(
  'starts once more as the same process, with its arguments',
  async () => {
    const file = `data:text/javascript,${encodeURIComponent(program)}`;
    const starter = `await import(${JSON.stringify(file)})`;
    const child = spawn(
      process.execPath,
      ['--input-type=module', '--eval', starter, '--', 'serve', '--port', '0'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    const [exitCode] = await once(child, 'close');
    expect(exitCode).toBe(0);
    const lines = output.trim().split('\n');
    expect(lines.slice(0, -1)).toEqual(['begun', 'begun']);
    const last = JSON.parse(lines.at(-1) ?? '');
    expect(last).toMatchObject({ pid: child.pid, words: ['--port', '0'] });
    expect(last.flags).toEqual(
      expect.arrayContaining([
        '--max-semi-space-size=16',
        '--no-memory-reducer',
        '--heap-growing-percent=80',
      ]),
    );
  },
);
