/**
 * The load generator of the gateway benchmark: a forked process that takes a LoadCommand and answers with a
 * LoadResult. It reads as little of an answer as it can, because it shares the machine with what it measures.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import type { LoadCommand, LoadResult, Target } from './load-protocol.ts';

interface Tally {
  answered: number;
  failed: number;
  failure: string | undefined;
  events: number;
  readonly firstByteMs: number[];
}

const dataMark = Buffer.from('\ndata: ');

/** Every event but the very first of an answer follows a line feed. */
function countEvents(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(dataMark); at >= 0; at = chunk.indexOf(dataMark, at + dataMark.length)) count++;
  return count;
}

/** Sends one request and resolves when its answer ended, well or badly. */
function request(pool: Pool, target: Target, body: string, tally: Tally, onOpen?: () => void): Promise<void> {
  const isStream = body.includes('"stream":true');
  const startedAt = performance.now();
  let isOpen = false;
  let tail = '';
  return new Promise((resolve) => {
    const fail = (reason: string) => {
      tally.failed++;
      tally.failure ??= reason;
      resolve();
    };
    let status = 0;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart(_controller, statusCode) {
        status = statusCode;
      },
      onResponseData(_controller, chunk) {
        if (!isOpen) {
          isOpen = true;
          tally.firstByteMs.push(performance.now() - startedAt);
          onOpen?.();
        }
        if (isStream) tally.events += countEvents(chunk);
        if (isStream || status !== 200) tail = (tail + chunk.subarray(-200)).slice(-200);
      },
      onResponseEnd() {
        if (status !== 200) return fail(`status ${status}: ${tail}`);
        if (isStream && !tail.includes('[DONE]')) return fail(`a stream ended with: ${tail}`);
        tally.answered++;
        resolve();
      },
      onResponseError: (_controller, error) => fail(error.message),
    };
    pool.dispatch({ path: target.path, method: 'POST', headers: target.headers, body }, handler);
  });
}

function openPool(target: Target, connections: number): Pool {
  return new Pool(target.origin, {
    connections,
    pipelining: 1,
    headersTimeout: 60_000,
    bodyTimeout: 120_000,
  });
}

async function runClosedLoop(command: Extract<LoadCommand, { type: 'closed-loop' }>, tally: Tally) {
  const pool = openPool(command.target, command.concurrency);
  let left = command.requests;
  const caller = async () => {
    while (left-- > 0) await request(pool, command.target, command.body, tally);
  };
  await Promise.all(Array.from({ length: command.concurrency }, caller));
  await pool.destroy();
}

async function runOpenLoop(command: Extract<LoadCommand, { type: 'open-loop' }>, tally: Tally) {
  const pool = openPool(command.target, 64);
  const startedAt = performance.now();
  const total = command.perSecond * command.seconds;
  const running: Promise<void>[] = [];
  while (running.length < total) {
    const due = Math.min(total, ((performance.now() - startedAt) / 1_000) * command.perSecond);
    while (running.length < due) running.push(request(pool, command.target, command.body, tally));
    await sleep(1);
  }
  await Promise.all(running);
  await pool.destroy();
}

let held: Pool | undefined;

/** At most 200 streams are being opened at a time: the aim is to hold many, not to storm the door. */
async function holdStreams(command: Extract<LoadCommand, { type: 'hold' }>, tally: Tally) {
  const pool = openPool(command.target, command.streams);
  held = pool;
  let left = command.streams;
  const opener = async () => {
    while (left-- > 0) {
      await new Promise<void>((opened) => {
        void request(pool, command.target, command.body, tally, opened).then(opened);
      });
    }
  };
  await Promise.all(Array.from({ length: 200 }, opener));
}

async function execute(command: LoadCommand): Promise<LoadResult> {
  const tally: Tally = { answered: 0, failed: 0, failure: undefined, events: 0, firstByteMs: [] };
  const startedAt = performance.now();
  switch (command.type) {
    case 'closed-loop':
      await runClosedLoop(command, tally);
      break;
    case 'open-loop':
      await runOpenLoop(command, tally);
      break;
    case 'hold':
      await holdStreams(command, tally);
      break;
    case 'release':
      await held?.destroy();
      held = undefined;
      break;
    default:
      command satisfies never;
  }
  return { ...tally, elapsedMs: performance.now() - startedAt };
}

process.on('message', (message) => {
  const command = message as LoadCommand; // The only messages that the benchmark sends.
  void execute(command).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));
