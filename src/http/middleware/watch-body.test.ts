import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchBody } from './watch-body.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watchNew(bytesMax: number) {
  const raw = new IncomingMessage(new Socket());
  const outcome = vi.fn();
  const watch = watchBody(raw, {
    idleMs: 60_000,
    bytesMax,
    stalled: () => new Error('stalled'),
    tooLarge: () => new Error('too large'),
  });
  watch.broken.catch((error: Error) => outcome(error.message));
  const send = async (bytes: number, afterMs: number): Promise<void> => {
    await vi.advanceTimersByTimeAsync(afterMs);
    raw.emit('data', Buffer.alloc(bytes));
    await vi.advanceTimersByTimeAsync(0);
  };
  return { watch, outcome, send };
}

it('lets a body take hours, as long as something of it comes', async () => {
  const { watch, outcome, send } = watchNew(1_000);
  for (let piece = 0; piece < 200; piece++) await send(1, 59_000);
  expect(outcome).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(outcome).toHaveBeenCalledExactlyOnceWith('stalled');
  watch.end();
});

it('gives up a body that is larger than may be, declared or not', async () => {
  const { outcome, send } = watchNew(1_000);
  await send(1_000, 1);
  expect(outcome).not.toHaveBeenCalled();
  await send(1, 1);
  expect(outcome).toHaveBeenCalledExactlyOnceWith('too large');
});

it('says nothing more once it has ended', async () => {
  const { watch, outcome, send } = watchNew(1_000);
  watch.end();
  await send(2_000, 120_000);
  expect([outcome.mock.calls, vi.getTimerCount()]).toEqual([[], 0]);
});
