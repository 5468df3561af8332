/**
 * At most one server per data folder: two processes that write one SQLite file under load stall each other for
 * seconds, and the caches of both would go stale. The lock is an exclusive lock on a small SQLite file, which
 * the operating system drops with the process, so a SIGKILL leaves no stale lock behind. The process id in the
 * file beside it only serves the message.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { errorCodeOf } from '../../error-code.ts';

/** Another server has this data folder. */
export class DataFolderInUseError extends Error {
  /** Undefined when the other process has not written it yet. */
  readonly processId: number | undefined;

  constructor(dataDir: string, processId: number | undefined) {
    const who = processId === undefined ? 'another process' : `process ${processId}`;
    super(
      `The data folder ${dataDir} is in use by ${who}. Stop that server first, or start this one with another --data-dir (or share a PostgreSQL database through DATABASE_URL).`,
    );
    this.name = 'DataFolderInUseError';
    this.processId = processId;
  }
}

export interface ServerLock {
  release(): void;
}

/** Takes the lock or throws `DataFolderInUseError`. The folder must exist. */
export function acquireServerLock(dataDir: string): ServerLock {
  const processIdPath = path.join(dataDir, 'server.pid');
  const lock = new Database(path.join(dataDir, 'server.lock'), { timeout: 0 });
  try {
    lock.pragma('journal_mode = MEMORY');
    lock.exec('begin exclusive');
  } catch (thrown) {
    lock.close();
    if (errorCodeOf(thrown)?.startsWith('SQLITE_BUSY')) {
      throw new DataFolderInUseError(dataDir, readProcessId(processIdPath));
    }
    throw thrown;
  }
  writeFileSync(processIdPath, `${process.pid}\n`);
  return {
    release: () => {
      rmSync(processIdPath, { force: true });
      lock.close();
    },
  };
}

function readProcessId(file: string): number | undefined {
  try {
    const processId = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isSafeInteger(processId) ? processId : undefined;
  } catch {
    // The file is only for the message: without it the message names no process.
    return undefined;
  }
}
