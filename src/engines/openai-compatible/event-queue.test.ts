import { describe, expect, it } from 'vitest';
import { EventQueue } from './event-queue.ts';

function createQueue(sizeMax = 3) {
  const calls: string[] = [];
  const queue = new EventQueue<number>({
    sizeMax,
    onFull: () => calls.push('full'),
    onDrained: () => calls.push('drained'),
    onReturn: () => calls.push('return'),
  });
  return { queue, calls };
}

describe('an event queue', () => {
  it('hands out what was pushed before and after somebody asked, in order', async () => {
    const { queue } = createQueue();
    queue.push(1);
    queue.push(2);
    expect([await queue.next(), await queue.next()].map(({ value }) => value)).toEqual([1, 2]);
    const pending = queue.next();
    queue.push(3);
    expect((await pending).value).toBe(3);
    queue.push(4);
    queue.end();
    expect(await queue.next()).toEqual({ done: false, value: 4 });
    expect((await queue.next()).done).toBe(true);
  });

  it('hands out what waits before it throws, and throws once', async () => {
    const { queue } = createQueue();
    queue.push(1);
    queue.fail(new Error('broken'));
    queue.push(2);
    expect((await queue.next()).value).toBe(1);
    await expect(queue.next()).rejects.toThrow('broken');
    expect((await queue.next()).done).toBe(true);
  });

  it('makes one item of several that wait unread, where they can be merged', async () => {
    const queue = new EventQueue<string>({
      sizeMax: 3,
      onFull: () => undefined,
      onDrained: () => undefined,
      onReturn: () => undefined,
      merge: (waiting, next) => (waiting.length + next.length > 4 ? undefined : waiting + next),
    });
    const asked = queue.next();
    for (const item of ['a', 'b', 'c', 'd', 'ef']) queue.push(item);
    queue.end();
    expect((await asked).value).toBe('a');
    expect((await queue.next()).value).toBe('bcd');
    expect((await queue.next()).value).toBe('ef');
    expect((await queue.next()).done).toBe(true);
  });

  it('throws at whoever waits', async () => {
    const { queue } = createQueue();
    const pending = queue.next();
    queue.fail(new Error('broken'));
    await expect(pending).rejects.toThrow('broken');
  });

  it('asks the writer to pause once when it is full, and to go on once it is empty', async () => {
    const { queue, calls } = createQueue(3);
    for (const item of [1, 2, 3, 4, 5]) queue.push(item);
    expect(calls).toEqual(['full']);
    for (let taken = 0; taken < 4; taken += 1) await queue.next();
    expect(calls).toEqual(['full']);
    await queue.next();
    expect(calls).toEqual(['full', 'drained']);
  });

  it('tells the writer when the reader stops before the end, and only then', async () => {
    const first = createQueue();
    first.queue.push(1);
    await first.queue.return();
    await first.queue.return();
    expect(first.calls).toEqual(['return']);
    expect((await first.queue.next()).done).toBe(true);
    const second = createQueue();
    second.queue.end();
    await second.queue.return();
    expect(second.calls).toEqual([]);
  });
});
