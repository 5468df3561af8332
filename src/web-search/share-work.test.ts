import { describe, expect, it } from 'vitest';
import { createSharedWork } from './share-work.ts';

const never = new AbortController().signal;

function createWork() {
  const starts: AbortSignal[] = [];
  const ends: PromiseWithResolvers<string>[] = [];
  const start = (signal: AbortSignal): Promise<string> => {
    const end = Promise.withResolvers<string>();
    signal.addEventListener('abort', () => end.reject(signal.reason), { once: true });
    starts.push(signal);
    ends.push(end);
    return end.promise;
  };
  return { starts, ends, start };
}

describe('work that is shared', () => {
  it('is done once for those who ask at the same time, and again for who asks later', async () => {
    const share = createSharedWork<string>();
    const work = createWork();
    const both = [share('a', never, work.start), share('a', never, work.start)];
    work.ends[0]?.resolve('done');
    expect(await Promise.all(both)).toEqual(['done', 'done']);
    const later = share('a', never, work.start);
    work.ends[1]?.resolve('again');
    expect(await later).toBe('again');
    expect(work.starts).toHaveLength(2);
  });

  it('goes on when one of its askers leaves, and ends with the last', async () => {
    const share = createSharedWork<string>();
    const work = createWork();
    const [first, second] = [new AbortController(), new AbortController()];
    const one = share('a', first.signal, work.start);
    const two = share('a', second.signal, work.start);
    first.abort(new Error('the first left'));
    await expect(one).rejects.toThrow('the first left');
    expect(work.starts[0]?.aborted).toBe(false);
    second.abort(new Error('the second left'));
    await expect(two).rejects.toThrow('the second left');
    expect(work.starts[0]?.aborted).toBe(true);
    // Whoever comes now begins anew, and does not inherit what was given up.
    const three = share('a', never, work.start);
    work.ends[1]?.resolve('anew');
    expect(await three).toBe('anew');
  });

  it('fails for everybody who waits for it', async () => {
    const share = createSharedWork<string>();
    const work = createWork();
    const both = [share('a', never, work.start), share('a', never, work.start)];
    work.ends[0]?.reject(new Error('broken'));
    for (const each of both) await expect(each).rejects.toThrow('broken');
  });
});
