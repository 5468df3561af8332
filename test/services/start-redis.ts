/** A Redis (or Valkey) server of the tests' own: in memory, on a free loopback port. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { findProgram } from './find-program.ts';
import { findFreePort } from './free-port.ts';
import { installPackage } from './install-package.ts';
import { endProcess, type Service, waitUntilReady } from './service.ts';

const startTimeoutMs = 15_000;
const programs = ['redis-server', 'valkey-server'];

export interface RedisService extends Service {
  /** `SIGSTOP` makes it hang, `SIGCONT` wakes it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

/** On a port of its own choice, unless one is named. Throws when there is no Redis and none can be installed. */
export async function startRedis(portToUse?: number): Promise<RedisService> {
  let program = findProgram(programs, ['/usr/bin', '/usr/local/bin']);
  if (program === undefined) {
    installPackage('redis-server', 'the Redis server (program `redis-server`, or `valkey-server`)');
    program = findProgram(programs, ['/usr/bin']);
  }
  if (program === undefined) {
    throw new Error('The package redis-server is installed, but `redis-server` was not found.');
  }
  const port = portToUse ?? (await findFreePort());
  let output = '';
  const child = spawn(
    program,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  child.stdout.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-10_000);
  });
  const stop = async (): Promise<void> => await endProcess(child, 'SIGKILL');
  try {
    await waitUntilReady(child, async () => await ping(port), {
      name: 'Redis',
      output: () => output,
      timeoutMs: startTimeoutMs,
    });
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { url: `redis://127.0.0.1:${port}`, stop, signal: (signal) => child.kill(signal) };
}

async function ping(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('error', reject);
    socket.once('data', (answer: Buffer) => {
      socket.destroy();
      if (answer.toString().startsWith('+PONG')) {
        resolve();
      } else {
        reject(new Error(`Redis answered ${answer.toString()}`));
      }
    });
  });
}
