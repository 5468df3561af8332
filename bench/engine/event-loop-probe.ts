/**
 * Loaded into the server under test with `node --import`: answers on a port of its own with the event loop's delays
 * since the last question. Only the server's main thread is watched, not its workers and children.
 */
import { createServer } from 'node:http';
import { isMainThread } from 'node:worker_threads';
import { watchOwnEventLoop } from './watch-event-loop.ts';

if (isMainThread && process.argv[1]?.endsWith('main.ts')) {
  let stop = watchOwnEventLoop();
  createServer((_request, response) => {
    void stop().then((delay) => {
      stop = watchOwnEventLoop();
      response.end(JSON.stringify(delay));
    });
  })
    .listen(Number(process.env.PERIGEE_BENCH_PROBE_PORT), '127.0.0.1')
    .unref();
}
