import { getEventListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeDocx, paragraph } from './__fixtures__/make-office.ts';
import { makePdf } from './__fixtures__/make-pdf.ts';
import { createExtractor, type ExtractorOptions, pageExtractorDefaults } from './create-extractor.ts';
import type { Extractor } from './document.ts';

function openExtractor(options: Partial<ExtractorOptions> = {}): Extractor {
  const extractor = createExtractor({ ...pageExtractorDefaults, threads: 1, ...options });
  onTestFinished(async () => await extractor.close());
  return extractor;
}

const never = new AbortController().signal;
const hello = () => ({ content: { bytes: new Uint8Array(Buffer.from('hello')) } });

/** Shows text five million times: some kilobytes of file, minutes of work, gigabytes of memory. */
const bomb = makePdf([[]], { content: Buffer.from(`BT /F1 12 Tf ${'(x) Tj '.repeat(5_000_000)} ET`) });
const endlessPdf = () => ({ content: { bytes: new Uint8Array(bomb) } });

describe('documents in worker threads', () => {
  it('are read from memory and from files', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'perigee-extract-'));
    onTestFinished(async () => await rm(folder, { recursive: true }));
    const file = path.join(folder, 'a.pdf');
    await writeFile(file, makePdf([['(From a file)']]));
    const extractor = openExtractor();
    expect((await extractor.extract(hello(), never)).text).toBe('hello');
    expect((await extractor.extract({ content: { path: file } }, never)).text).toBe('From a file');
  });

  it('all come to their end when there are more than threads', async () => {
    const extractor = openExtractor({ threads: 2 });
    const texts = await Promise.all(Array.from({ length: 20 }, () => extractor.extract(hello(), never)));
    expect(texts.map(({ text }) => text)).toEqual(Array(20).fill('hello'));
  });

  it('are read in the order in which they came', async () => {
    const extractor = openExtractor();
    const order: string[] = [];
    const first = extractor.extract(hello(), never).then(async () => {
      order.push('first');
      // In the very moment in which the thread is free.
      await extractor.extract(hello(), never);
      order.push('third');
    });
    const second = extractor.extract(hello(), never).then(() => order.push('second'));
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second', 'third']);
  });

  it('end at their time limit, and the next one is read', async () => {
    const extractor = openExtractor({ timeoutMs: 2_000 });
    await expect(extractor.extract(endlessPdf(), never)).rejects.toMatchObject({ failure: 'too_costly' });
    expect((await extractor.extract(hello(), never)).text).toBe('hello');
  });

  it('end at the limit of their buffers, and the next one is read', async () => {
    const extractor = openExtractor({ memoryMbMax: 60, timeoutMs: 60_000 });
    await expect(extractor.extract(endlessPdf(), never)).rejects.toMatchObject({ failure: 'too_costly' });
    expect((await extractor.extract(hello(), never)).text).toBe('hello');
  });

  it('end at the limit of their heap, and the next one is read', async () => {
    const extractor = openExtractor({ heapMbMax: 24, timeoutMs: 60_000 });
    const bytes = makeDocx(paragraph('x').repeat(1_000_000));
    await expect(extractor.extract({ content: { bytes } }, never)).rejects.toMatchObject({
      failure: 'too_costly',
    });
    expect((await extractor.extract(hello(), never)).text).toBe('hello');
  });

  it('are given up when nobody waits any more, running or waiting', async () => {
    const extractor = openExtractor();
    const controller = new AbortController();
    const running = extractor.extract(endlessPdf(), controller.signal);
    const waiting = extractor.extract(hello(), controller.signal);
    controller.abort(new Error('left'));
    await Promise.all([expect(running).rejects.toThrow('left'), expect(waiting).rejects.toThrow('left')]);
    expect((await extractor.extract(hello(), never)).text).toBe('hello');
  });

  it('leave nothing behind at a signal that outlives them', async () => {
    const extractor = openExtractor();
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 5 }, () => extractor.extract(hello(), signal)));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('are refused after the end, and running ones end with it', async () => {
    const extractor = openExtractor();
    const running = extractor.extract(endlessPdf(), never);
    const waiting = extractor.extract(hello(), never);
    const ends = Promise.all([
      expect(running).rejects.toMatchObject({ failure: 'too_costly' }),
      expect(waiting).rejects.toMatchObject({ failure: 'too_costly' }),
    ]);
    await extractor.close();
    await ends;
    await expect(extractor.extract(hello(), never)).rejects.toMatchObject({ failure: 'too_costly' });
  });
});
