/**
 * Durability: transactions are appended to the write-ahead log in order, and whoever asked for `sync` is
 * answered after an fdatasync of that log which began after the commit. That is what `synchronous = FULL` does,
 * except that FULL blocks the thread meanwhile: measured, a hold (which needs no disk) would then wait for the
 * disk behind a settlement. Lazy groups are answered at once; a later sync covers them too.
 */
import { existsSync, fdatasync, openSync } from 'node:fs';
import { StoreError } from '../store-error.ts';
import { failedOutcome } from './failed-outcome.ts';
import type { SqliteReply, WireOutcome } from './sqlite-protocol.ts';

interface LogSyncOptions {
  readonly walPath: string;
  reply(replies: readonly SqliteReply[]): void;
  /** Called after each sync, before the next one begins. */
  onSynced(): void;
}

export interface LogSync {
  readonly isSyncing: boolean;
  /** Answers after a sync that begins from now on. */
  answerWhenSynced(replies: readonly SqliteReply[]): void;
}

/** A sync that failed once is final: the kernel may have dropped the pages. */
export function createLogSync(options: LogSyncOptions): LogSync {
  let logFile: number | undefined;
  let failure: WireOutcome | undefined;
  let isSyncing = false;
  let unsynced: SqliteReply[] = [];

  const sync = (): void => {
    const covered = unsynced;
    unsynced = [];
    isSyncing = true;
    logFile ??= openLog(options.walPath);
    if (logFile === undefined) {
      finish(covered);
      return;
    }
    fdatasync(logFile, (error) => {
      failure = error === null ? failure : failedOutcome(new StoreError('unavailable', error.message));
      finish(covered);
    });
  };

  const finish = (covered: readonly SqliteReply[]): void => {
    const outcome = failure;
    options.reply(outcome === undefined ? covered : covered.map(({ id }) => ({ id, outcome })));
    isSyncing = false;
    options.onSynced();
    // Unless what was waiting for this sync has begun the next one.
    if (unsynced.length > 0 && !isSyncing) {
      sync();
    }
  };

  return {
    get isSyncing() {
      return isSyncing;
    },
    answerWhenSynced(replies) {
      unsynced.push(...replies);
      if (!isSyncing) {
        sync();
      }
    },
  };
}

/** The log is made by the first write and never replaced while a connection is open; before, there is none. */
function openLog(walPath: string): number | undefined {
  return existsSync(walPath) ? openSync(walPath, 'r+') : undefined;
}
