import { once } from 'node:events';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

const module = new URL('./lower-thread-priority.ts', import.meta.url);

it.runIf(process.platform === 'linux')('lowers the calling thread and no other', async () => {
  const source = `
    import { getPriority } from 'node:os';
    import { parentPort } from 'node:worker_threads';
    import { lowerThreadPriority } from '${module}';
    const before = getPriority(0);
    lowerThreadPriority();
    parentPort.postMessage([before, getPriority(0)]);`;
  const own = getPriority(0);
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const [[before, after]] = (await once(worker, 'message')) as [[number, number]];
  await worker.terminate();
  expect(before).toBe(own);
  expect(after).toBeGreaterThan(before);
  expect(getPriority(0)).toBe(own);
});
