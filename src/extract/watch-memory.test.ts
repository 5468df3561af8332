import { once } from 'node:events';
import type { HeapInfo } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { watchMemory } from './watch-memory.ts';

afterEach(() => vi.useRealTimers());

/** What a real thread says of itself, given when the test says so. */
async function createSlowThread() {
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
  onTestFinished(async () => void (await worker.terminate()));
  await once(worker, 'online');
  const statistics = await worker.getHeapStatistics();
  const { promise, resolve } = Promise.withResolvers<HeapInfo>();
  return { getHeapStatistics: async () => await promise, answer: () => resolve(statistics) };
}

it('a thread that holds too much is told of', async () => {
  const thread = await createSlowThread();
  vi.useFakeTimers();
  const onTooMuch = vi.fn();
  const stop = watchMemory(thread, 1, onTooMuch);
  vi.advanceTimersByTime(100);
  thread.answer();
  await vi.waitFor(() => expect(onTooMuch).toHaveBeenCalledOnce());
  stop();
});

it('an answer that comes after the end is not told of: the thread does something else by then', async () => {
  const thread = await createSlowThread();
  vi.useFakeTimers();
  const onTooMuch = vi.fn();
  const stop = watchMemory(thread, 1, onTooMuch);
  vi.advanceTimersByTime(100);
  stop();
  thread.answer();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(onTooMuch).not.toHaveBeenCalled();
});
