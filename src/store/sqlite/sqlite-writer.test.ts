import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteConnection } from './sqlite-connection.ts';
import type { SqliteReply, SqliteRequest } from './sqlite-protocol.ts';
import { SqliteWriter } from './sqlite-writer.ts';

/** A writer on this thread; `walPath` stands for the log whose sync it waits for. */
function startWriter(options: { readonly walPath?: string; readonly transactionIdleMs?: number } = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-writer-'));
  const filePath = path.join(folder, 'test.db');
  const transactionIdleMs = options.transactionIdleMs ?? 60_000;
  const connection = openSqliteConnection({ role: 'writer', filePath, busyTimeoutMs: 0, transactionIdleMs });
  connection.execute('create table numbers (number integer primary key) strict');
  const replies: SqliteReply[] = [];
  const writer = new SqliteWriter({
    connection,
    walPath: options.walPath ?? `${filePath}-wal`,
    transactionIdleMs,
    reply: (more) => replies.push(...more),
  });
  onTestFinished(() => {
    connection.database.close();
    rmSync(folder, { recursive: true });
  });
  const isWritten = (number: number) =>
    connection.database.prepare('select 1 from numbers where number = ?').get(number) !== undefined;
  const outcomeOf = (id: number) => replies.find((reply) => reply.id === id)?.outcome;
  return { writer, connection, outcomeOf, isWritten };
}

const insert = (number: number) => ({
  sql: 'insert into numbers values (?)',
  parameters: [number],
  rowsRequired: undefined,
});

const groupOf = (id: number, isLazy = false): SqliteRequest => ({
  id,
  type: 'group',
  isLazy,
  statements: [insert(id)],
});

describe('the SQLite writer', () => {
  it('acknowledges a lazy group when it is written, a sync group only after the log was synced', async () => {
    const { writer, outcomeOf, isWritten } = startWriter();
    writer.handle([groupOf(1), groupOf(2, true)]);
    // Both are in one transaction that has been committed; the sync runs off this thread and cannot be over yet.
    expect([isWritten(1), isWritten(2)]).toEqual([true, true]);
    expect([outcomeOf(1)?.type, outcomeOf(2)?.type]).toEqual([undefined, 'committed']);
    await expect.poll(() => outcomeOf(1)?.type).toBe('committed');
  });

  it('collects what waits for the disk while a sync runs, and lets lazy groups pass', async () => {
    const { writer, outcomeOf, isWritten } = startWriter();
    writer.handle([groupOf(1)]);
    writer.handle([groupOf(2)]);
    writer.handle([groupOf(3), groupOf(4, true)]);
    // The sync of the first one cannot be over: its callback comes in a later turn of the event loop.
    expect([1, 2, 3, 4].map(isWritten)).toEqual([true, false, false, true]);
    expect(outcomeOf(4)?.type).toBe('committed');
    await expect
      .poll(() => [1, 2, 3].map((id) => outcomeOf(id)?.type))
      .toEqual(['committed', 'committed', 'committed']);
  });

  it('writes what it collected before anything that is no group', async () => {
    const { writer, isWritten } = startWriter();
    writer.handle([groupOf(1)]);
    writer.handle([groupOf(2), { id: 3, type: 'run', transaction: undefined, statement: insert(3) }]);
    expect([1, 2, 3].map(isWritten)).toEqual([true, true, true]);
  });

  // A device that takes writes but refuses to sync, on Linux.
  it.runIf(process.platform === 'linux')(
    'acknowledges nothing as durable once a sync has failed',
    async () => {
      const { writer, outcomeOf } = startWriter({ walPath: '/dev/null' });
      writer.handle([groupOf(1), groupOf(2, true)]);
      await expect.poll(() => outcomeOf(1)?.type).toBe('failed');
      expect(outcomeOf(2)?.type).toBe('committed');
      writer.handle([groupOf(3)]);
      await expect.poll(() => outcomeOf(3)?.type).toBe('failed');
    },
  );

  it('goes on when an interactive transaction is left open for too long', async () => {
    const { writer, outcomeOf, isWritten } = startWriter({ transactionIdleMs: 1 });
    writer.handle([
      { id: 1, type: 'begin', transaction: 7 },
      { id: 2, type: 'run', transaction: 7, statement: insert(2) },
      groupOf(3),
    ]);
    await expect.poll(() => outcomeOf(3)?.type).toBe('committed');
    writer.handle([{ id: 4, type: 'end', transaction: 7, how: 'commit' }]);
    expect(outcomeOf(4)).toMatchObject({ type: 'failed', code: 'SQLITE_BUSY' });
    expect([isWritten(2), isWritten(3)]).toEqual([false, true]);
  });

  it('does not take a statement that runs long for idleness of its transaction', async () => {
    const transactionIdleMs = 500;
    const { writer, connection, outcomeOf, isWritten } = startWriter({ transactionIdleMs });
    const lock = new Int32Array(new SharedArrayBuffer(4));
    connection.database.function('work', () => {
      Atomics.wait(lock, 0, 0, 2 * transactionIdleMs);
      return 1;
    });
    const long = { sql: 'insert into numbers select work()', parameters: [], rowsRequired: undefined };
    writer.handle([
      { id: 1, type: 'begin', transaction: 7 },
      { id: 2, type: 'run', transaction: 7, statement: long },
    ]);
    // Timers that are due fire between one turn of the event loop and the next.
    await setImmediate();
    await setImmediate();
    writer.handle([{ id: 3, type: 'end', transaction: 7, how: 'commit' }]);
    await expect.poll(() => outcomeOf(3)?.type).toBe('done');
    expect(isWritten(1)).toBe(true);
  });
});
