/** The entry of a SQLite thread: receives requests in order, answers through the writer or straight away. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { failedOutcome } from './failed-outcome.ts';
import { openSqliteConnection, type SqliteConnection } from './sqlite-connection.ts';
import type { SqliteReply, SqliteRequest, SqliteThreadData, WireOutcome } from './sqlite-protocol.ts';
import { SqliteWriter } from './sqlite-writer.ts';
import { createUnpacker } from './statement-texts.ts';
import { decodeRequests, encodeReplies, type RequestMessage } from './wire-text.ts';

if (parentPort === null) {
  throw new Error('sqlite-worker.ts runs only as a worker thread.');
}
const port = parentPort;
// Only `sqlite-thread.ts` starts this file, with exactly this shape.
const data = workerData as SqliteThreadData;
const connection = openSqliteConnection(data);
const handler = data.role === 'writer' ? createWriter() : createReader(connection);

interface RequestHandler {
  handle(requests: readonly SqliteRequest[]): void;
}

const unpack = createUnpacker();

port.on('message', (first: RequestMessage) => {
  const requests = decodeRequests(first).map(unpack);
  // Whatever arrived meanwhile joins this batch: the more load, the larger the groups.
  for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
    // Nothing else is ever sent on this port.
    requests.push(...decodeRequests(more.message as RequestMessage).map(unpack));
  }
  handler.handle(requests);
});

function createWriter(): RequestHandler {
  return new SqliteWriter({
    connection,
    walPath: `${data.filePath}-wal`,
    transactionIdleMs: data.transactionIdleMs,
    reply: (replies: readonly SqliteReply[]) => port.postMessage(encodeReplies(replies)),
  });
}

function createReader(reader: SqliteConnection): RequestHandler {
  const answer = (request: SqliteRequest): WireOutcome => {
    try {
      switch (request.type) {
        case 'run':
          return { type: 'result', result: reader.run(request.statement) };
        case 'checkpoint':
          reader.database.pragma('wal_checkpoint(PASSIVE)');
          return { type: 'done' };
        case 'close':
          reader.database.close();
          return { type: 'done' };
        case 'begin':
        case 'end':
        case 'group':
          throw new Error(`A reader thread does not serve '${request.type}'.`);
        default:
          return request satisfies never;
      }
    } catch (thrown) {
      return failedOutcome(thrown);
    }
  };
  return {
    handle: (requests) =>
      port.postMessage(requests.map((request) => ({ id: request.id, outcome: answer(request) }))),
  };
}
