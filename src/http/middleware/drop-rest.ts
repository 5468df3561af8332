import type { IncomingMessage, ServerResponse } from 'node:http';

/** Time a client has to send the rest of a request that is refused already. */
const leftoverMsMax = 30_000;

/**
 * What is still to come of a request that is refused before its end. Of one that nobody has begun to read Node drops the
 * rest, so that the sender hears the answer; that must not take for ever. One that was being read Node neither reads on
 * nor closes, so its connection ends with the answer.
 */
export function dropRest(request: IncomingMessage, response: ServerResponse): void {
  // Requests that are injected do not say.
  if (request.complete !== false) return;
  if (request.readableFlowing !== null) response.setHeader('connection', 'close');
  const { socket } = request;
  const end = setTimeout(() => {
    if (!request.complete) socket.destroy();
  }, leftoverMsMax);
  end.unref();
}
