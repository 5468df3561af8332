/**
 * A server under test as the kernel sees it: CPU time, memory and an orderly end. Reads /proc, so the benchmarks
 * run on Linux only. What the server was asked to do is the business of `gateway/` and `engine/`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

export interface MeasuredProcess {
  readonly pid: number;
  /** CPU time in microseconds that the process, its threads and its children have used. */
  cpuMicroseconds(): number;
  /** Bytes of memory, children included. */
  residentBytes(): number;
  /** SIGTERM, then SIGKILL after five seconds. Idempotent. */
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Polled until it answers with a status below 500. */
  readonly readyUrl: string;
  readonly readyTimeoutMs?: number;
  /** What it writes to stdout and stderr, as it comes. */
  readonly onOutput?: (chunk: Buffer) => void;
}

/** A TCP port of the loopback interface that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

/** Starts a server and waits until it answers. Throws with the end of its output when it dies before. */
export async function startMeasured(server: ServerCommand): Promise<MeasuredProcess> {
  const child = spawn(server.command, server.args, {
    env: { ...process.env, ...server.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keepTail = (chunk: Buffer) => {
    output = `${output}${chunk}`.slice(-4_000);
    server.onOutput?.(chunk);
  };
  child.stdout.on('data', keepTail);
  child.stderr.on('data', keepTail);
  try {
    await waitUntilReady(server, child);
  } catch (cause) {
    child.kill('SIGKILL');
    throw new Error(`${server.command} ${server.args.join(' ')} did not start:\n${output}`, { cause });
  }
  return measure(child);
}

async function waitUntilReady(server: ServerCommand, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + (server.readyTimeoutMs ?? 60_000);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with status ${child.exitCode}`);
    const status = await fetch(server.readyUrl, { signal: AbortSignal.timeout(1_000) }).then(
      (response) => response.body?.cancel().then(() => response.status) ?? response.status,
      () => 503, // Not listening yet.
    );
    if (status < 500) return;
    if (Date.now() > deadline) throw new Error(`no answer from ${server.readyUrl}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Wraps a child process that this program started. */
export function measure(child: ChildProcess): MeasuredProcess {
  const { pid } = child;
  if (pid === undefined) throw new Error('the process was not started');
  return {
    pid,
    cpuMicroseconds: () => sum(listTree(pid).map(readCpuMicroseconds)),
    residentBytes: () => sum(listTree(pid).map(readResidentBytes)),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function listTree(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(listTree)];
}

/** Nanoseconds per thread from the scheduler: /proc/<pid>/stat counts in steps of 10 ms, too coarse here. */
function readCpuMicroseconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return sum(nanoseconds) / 1_000;
}

function readResidentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1_024;
}
