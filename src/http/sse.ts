/**
 * One stream of server-sent events over one HTTP answer. It opens with its first frame, so that a failure before
 * that is still an ordinary error answer; it never lets frames pile up for a reader that does not read.
 */

import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // nginx would otherwise collect the events.
  'x-accel-buffering': 'no',
};

/** Silence is noticed at most one tick late. */
const ticksPerSilence = 4;

/** UTF-16 units that are gathered before they are written at once, so that back-pressure is noticed in time. */
const pendingLengthMax = 16_384;

export interface EventStreamOptions {
  /** A comment is sent after this long without a frame. */
  readonly keepAliveMs: number;
  /** A reader that takes nothing for this long is disconnected. */
  readonly readerStallMs: number;
}

/** Owns the answer from its first frame on: whoever makes one calls `close()`. */
export class EventStream {
  readonly #reply: FastifyReply;
  readonly #raw: ServerResponse;
  readonly #readerStallMs: number;
  readonly #keepAlive: NodeJS.Timeout;
  #isOpen = false;
  #hasWritten = false;
  #isBlocked = false;
  #quietTicks = 0;
  /** Frames of this turn of the event loop: a burst leaves as one write instead of one per token. */
  #pending = '';
  readonly #flush = (): void => {
    const frames = this.#pending;
    this.#pending = '';
    if (frames !== '' && !this.#raw.destroyed) this.#write(frames);
  };

  constructor(reply: FastifyReply, { keepAliveMs, readerStallMs }: EventStreamOptions) {
    this.#reply = reply;
    this.#raw = reply.raw;
    this.#readerStallMs = readerStallMs;
    this.#keepAlive = setInterval(() => this.#countSilence(), keepAliveMs / ticksPerSilence);
  }

  /** False: nothing was sent, the answer can still become anything. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Sends one or several whole frames. Undefined = go on; else wait for the promise, which settles when the reader
   * has caught up or is gone (its answer is then destroyed, and later frames go nowhere).
   */
  send(frames: string): Promise<void> | undefined {
    if (!this.#isOpen) this.#open();
    this.#quietTicks = 0;
    if (this.#raw.destroyed) return undefined;
    if (this.#pending === '') process.nextTick(this.#flush);
    this.#pending += frames;
    if (this.#pending.length >= pendingLengthMax) this.#flush();
    const isBehind = this.#raw.writableNeedDrain || this.#raw.socket?.writableNeedDrain === true;
    return isBehind ? this.#waitForReader() : undefined;
  }

  /** A line that clients skip. */
  sendComment(text: string): Promise<void> | undefined {
    return this.send(`: ${text}\n\n`);
  }

  /** Sends the last frames and ends the answer. */
  end(frames: string): void {
    if (!this.#isOpen) this.#open();
    this.close();
    const last = this.#pending + frames;
    this.#pending = '';
    if (!this.#raw.destroyed) this.#raw.end(last);
  }

  /** Stops the comments. The answer itself is ended by `end`, or by Fastify when the stream never opened. */
  close(): void {
    clearInterval(this.#keepAlive);
  }

  #open(): void {
    this.#isOpen = true;
    this.#reply.hijack();
    for (const [name, value] of Object.entries(this.#reply.getHeaders())) {
      if (value !== undefined) this.#raw.setHeader(name, value);
    }
    this.#raw.writeHead(200, streamHeaders);
  }

  /**
   * One chunk of the body (RFC 9112, 7.1). Written to the socket as one text once the head is out: node:http would
   * write three parts of it, at a fifth more CPU time per event of a stream. The rest (HTTP/1.0, a pipelined answer
   * that still waits for the socket, tests that inject) goes the usual way.
   */
  #write(frames: string): void {
    const { socket } = this.#raw;
    const isChunk = this.#hasWritten && this.#raw.chunkedEncoding;
    if (isChunk && socket instanceof Socket && socket.writable) {
      socket.write(`${Buffer.byteLength(frames).toString(16)}\r\n${frames}\r\n`);
    } else {
      this.#hasWritten = true;
      this.#raw.write(frames);
    }
  }

  /** Counting ticks costs a frame one assignment; restarting a timer would cost it ten times that. */
  #countSilence(): void {
    this.#quietTicks += 1;
    // A blocked reader has frames to read; one more would only grow the pile.
    if (this.#quietTicks >= ticksPerSilence && !this.#isBlocked) void this.sendComment('keep-alive');
  }

  #waitForReader(): Promise<void> {
    const raw = this.#raw;
    const behind = raw.socket ?? raw;
    this.#isBlocked = true;
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(stall);
        behind.off('drain', finish);
        raw.off('close', finish);
        this.#isBlocked = false;
        resolve();
      };
      const stall = setTimeout(() => raw.destroy(), this.#readerStallMs);
      behind.on('drain', finish);
      raw.on('close', finish);
    });
  }
}
