/** One upstream answer over the wire: status, event stream and timers on one side, a decoder on the other. */
import { StringDecoder } from 'node:string_decoder';
import { ApiError, toApiError } from '../../errors.ts';
import type { AnswerDecoder, DecodedUsage } from './answer-decoder.ts';
import { classifyResponse, classifyStreamError, classifyTransport } from './classify-error.ts';
import { createEventSplitter } from './event-splitter.ts';
import { parseBody, type RequestControl, type UpstreamConnection } from './upstream-connection.ts';
import type { UpstreamTimeouts } from './upstream-options.ts';

export interface ExchangeOptions {
  readonly connection: Pick<UpstreamConnection, 'send'>;
  readonly path: string;
  readonly body: string;
  readonly decoder: AnswerDecoder;
  readonly timeouts: UpstreamTimeouts;
  /** The answer is complete; nothing is called afterwards. */
  onEnd(usage: DecodedUsage): void;
  /** The answer failed and its connection is gone; nothing is called afterwards. */
  onError(error: ApiError): void;
}

/** Longest event (a whole tool call may come in one), and longest answer that is not streamed. */
const EVENT_LENGTH_MAX = 16 * 1024 * 1024;
/** How long a response may stay open after its `[DONE]`. */
const LINGER_MS = 5000;
/** As much of an error's body as is read. */
const ERROR_BYTES_MAX = 64 * 1024;

/** Sends the request and drives the decoder until the answer ends. */
export function startExchange(options: ExchangeOptions): RequestControl {
  const { decoder } = options;
  let isOver = false;
  let read: BodyReader | undefined;
  // A pool that was closed fails before `send` has returned.
  let control: RequestControl | undefined;
  let lingering: NodeJS.Timeout | undefined;

  const end = (): void => {
    if (isOver) return;
    const usage = decoder.finish();
    isOver = true;
    timers.stop();
    // The answer is complete before its response is; a server that never ends it must not keep the connection.
    lingering = setTimeout(() => control?.abort(), LINGER_MS).unref();
    options.onEnd(usage);
  };
  const fail = (error: ApiError): void => {
    if (isOver) return;
    isOver = true;
    timers.stop();
    control?.abort();
    options.onError(error);
  };
  /** A parser's or decoder's exception must not reach undici, which would call it a network error. */
  const guard = (action: () => void): void => {
    try {
      action();
    } catch (thrown) {
      fail(toApiError(thrown));
    }
  };

  const timers = startTimers(options.timeouts, (what) =>
    fail(new ApiError('engine_timeout', { internal: `the upstream exceeded its ${what}` })),
  );
  control = options.connection.send(
    { method: 'POST', path: options.path, body: options.body },
    {
      onResponse(status, headers) {
        const isStream = String(headers['content-type']).includes('text/event-stream');
        if (status !== 200) read = createErrorReader((body) => fail(classifyResponse(status, body, headers)));
        else read = isStream ? createEventReader(decoder, () => guard(end)) : createWholeReader(decoder);
      },
      onData(chunk) {
        if (isOver) return;
        timers.noteData();
        guard(() => read?.add(chunk));
      },
      onEnd() {
        guard(() => {
          read?.end();
          end();
        });
        clearTimeout(lingering);
      },
      onError(error) {
        clearTimeout(lingering);
        // Once every choice has ended, a torn connection takes nothing from the answer.
        if (decoder.isComplete()) guard(end);
        else fail(classifyTransport(error));
      },
    },
  );
  return {
    abort() {
      isOver = true;
      timers.stop();
      control?.abort();
    },
    pause: () => control?.pause(),
    resume: () => control?.resume(),
  };
}

interface BodyReader {
  add(chunk: Buffer): void;
  end(): void;
}

function createEventReader(decoder: AnswerDecoder, onDone: () => void): BodyReader {
  const text = new StringDecoder('utf8');
  const splitter = createEventSplitter({
    lengthMax: EVENT_LENGTH_MAX,
    onEvent(name, data) {
      if (data === '[DONE]') onDone();
      else if (name === 'error') throw classifyStreamError(parseBody(data));
      else decoder.add(data);
    },
  });
  return {
    add: (chunk) => splitter.feed(text.write(chunk)),
    // Some servers leave out the blank line after their last event.
    end: () => splitter.feed(`${text.end()}\n\n`),
  };
}

/** For servers that answer in one piece although they were asked to stream. */
function createWholeReader(decoder: AnswerDecoder): BodyReader {
  return createTextReader(EVENT_LENGTH_MAX, (text) => decoder.add(text));
}

function createErrorReader(onBody: (body: unknown) => void): BodyReader {
  return createTextReader(ERROR_BYTES_MAX, (text) => onBody(parseBody(text)));
}

function createTextReader(bytesMax: number, onText: (text: string) => void): BodyReader {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  return {
    add(chunk) {
      if (sizeBytes + chunk.length > bytesMax) return;
      sizeBytes += chunk.length;
      chunks.push(chunk);
    },
    end: () => onText(Buffer.concat(chunks).toString('utf8')),
  };
}

interface ExchangeTimers {
  noteData(): void;
  stop(): void;
}

/** One timer for all three bounds, and a byte only notes when it came: most exchanges end before it ever fires. */
function startTimers(timeouts: UpstreamTimeouts, onTimeout: (what: string) => void): ExchangeTimers {
  const { firstByteMs, idleMs, totalMs } = timeouts;
  const startedAt = performance.now();
  let dataAt: number | undefined;

  const check = (): void => {
    const now = performance.now();
    const totalLeftMs = startedAt + totalMs - now;
    const silenceLeftMs = dataAt === undefined ? startedAt + firstByteMs - now : dataAt + idleMs - now;
    if (totalLeftMs <= 0) onTimeout(`total time of ${totalMs} ms`);
    else if (silenceLeftMs > 0) {
      // A first byte may come at any time, and the silence after it may end before the wait for it would have.
      timer = setTimeout(check, Math.min(totalLeftMs, silenceLeftMs, idleMs));
    } else if (dataAt === undefined) onTimeout(`time to the first byte of ${firstByteMs} ms`);
    else onTimeout(`silence of ${idleMs} ms`);
  };

  let timer = setTimeout(check, Math.min(firstByteMs, idleMs, totalMs));
  return {
    noteData() {
      dataAt = performance.now();
    },
    stop: () => clearTimeout(timer),
  };
}
