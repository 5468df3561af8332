import type { Worker } from 'node:worker_threads';

const checkMs = 100;

/**
 * Calls `onTooMuch` when a worker thread holds more, heap and buffers together. The returned function ends the watch;
 * after it nothing is called.
 */
export function watchMemory(
  worker: Pick<Worker, 'getHeapStatistics'>,
  bytesMax: number,
  onTooMuch: () => void,
): () => void {
  let isWatching = true;
  const check = async (): Promise<void> => {
    // Answers in the middle of a loop, too; rejects when the thread has ended, which `exit` tells.
    const statistics = await worker.getHeapStatistics().catch(() => undefined);
    // An answer that comes late would hit what the thread does next.
    if (statistics === undefined || !isWatching) return;
    if (statistics.total_heap_size + statistics.external_memory > bytesMax) onTooMuch();
  };
  const timer = setInterval(() => void check(), checkMs);
  return () => {
    isWatching = false;
    clearInterval(timer);
  };
}
