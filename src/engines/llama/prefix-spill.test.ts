import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createPrefixCache } from './prefix-cache.ts';
import { openPrefixFiles } from './prefix-files.ts';
import { createPrefixSpill } from './prefix-spill.ts';
import { createBookContext } from './testing/book-context.ts';
import { createTransferPace, storedTokensMin } from './transfer-pace.ts';

const identity = { modelDigest: '0', library: 'books', kvType: 'f16', isKvUnified: true };

it('counts on no file for a prefix while the disk takes none', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-spill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const tokens = new Int32Array(2 * storedTokensMin);
  const context = createBookContext({ cells: 1_024, vocabularySize: 4, choose: () => 0 });
  await context.decode(
    Array.from(tokens, (token, position) => ({ token, position, sequence: 1, needsLogits: false })),
  );
  // Room for a shorter prefix only.
  const files = openPrefixFiles({ folder, bytesMax: 10 * storedTokensMin, identity, contextTokens: 1_024 });
  const spill = createPrefixSpill({
    context,
    files,
    pace: createTransferPace(),
    onDue: () => undefined,
    onLost: () => undefined,
  });
  const cache = createPrefixCache();
  expect(spill.isKept(tokens.length)).toBe(true);
  spill.keep(cache.add('one', 1, tokens));
  await files.settled();
  expect([spill.isKept(tokens.length), files.count]).toEqual([false, 0]);
  spill.keep(cache.add('one', 1, tokens.subarray(0, storedTokensMin)));
  await files.settled();
  expect([spill.isKept(tokens.length), files.count]).toEqual([true, 1]);
});
