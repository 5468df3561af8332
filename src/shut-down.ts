/** The end of a server, in the order in which nothing that was done for a client is lost. */
import type { Server } from 'node:http';

/** Turns whose money is neither settled nor given back. */
export interface OpenTurns {
  readonly add: (ended: Promise<void>) => void;
  /** Resolves when every turn up to now has ended. */
  ended(): Promise<void>;
}

export function createOpenTurns(): OpenTurns {
  const open = new Set<Promise<void>>();
  return {
    add: (ended) => {
      open.add(ended);
      void ended.then(() => open.delete(ended));
    },
    ended: async () => {
      await Promise.all(open);
    },
  };
}

export interface RunningServer {
  readonly http: { close(): Promise<unknown>; readonly server: Pick<Server, 'closeAllConnections'> };
  readonly engines: { close(): Promise<void> };
  readonly outputChecker: { close(): Promise<void> };
  readonly webSearch: { close(): Promise<void> };
  readonly files: { close(): Promise<void> };
  readonly openTurns: Pick<OpenTurns, 'ended'>;
  readonly idempotentAnswers: { close(): Promise<void> };
  readonly caching: { close(): Promise<void> };
  readonly meter: { close(): Promise<void> };
  readonly limits: { close(): Promise<void> };
  readonly people: { close(): Promise<void> };
  readonly store: { close(): Promise<void> };
}

/** For the last frames of answers that were stopped, and for the settlements of clients that have left. */
const lastWordsMs = 1_000;
const settlementsMs = 5_000;
/** After the grace time, for everything else. A supervisor kills what takes much longer. */
const overtimeMs = 8_000;

/**
 * Running answers may end for `graceMs`; then they are stopped: each becomes an error, and is released. Resolves to
 * false when not everything has ended some seconds later, which takes a database that does not answer: the process is
 * to end all the same, because what it holds is given back when its lease ends (`billing/server-lease.ts`).
 */
export async function shutDown(running: RunningServer, graceMs: number): Promise<boolean> {
  const ended = closeAll(running, graceMs).then(() => true);
  return await Promise.race([ended, wait(graceMs + overtimeMs).then(() => false)]);
}

async function closeAll(running: RunningServer, graceMs: number): Promise<void> {
  const { http, engines, outputChecker, webSearch, files, openTurns, caching, meter, limits, people, store } =
    running;
  // Resolves when the last running answer has ended.
  const drained = http.close();
  // Turns that outlive their client (`onClientLeft: finish`) have no connection, and the same grace.
  await Promise.race([drained.then(() => openTurns.ended()), wait(graceMs)]);
  // What is being computed for a context cache is given up, and goes on at the next start.
  await caching.close();
  await engines.close();
  await outputChecker.close();
  await webSearch.close();
  await files.close();
  await Promise.race([drained, wait(lastWordsMs)]);
  http.server.closeAllConnections();
  await drained;
  // A client that left has no connection any more, but its turn is still to be charged.
  await Promise.race([openTurns.ended(), wait(settlementsMs)]);
  await running.idempotentAnswers.close();
  await meter.close();
  await limits.close();
  await people.close();
  await store.close();
}

/** Keeps nothing alive: when all else has ended, the process need not wait for it. */
const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
