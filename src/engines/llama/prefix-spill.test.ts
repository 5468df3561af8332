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

/** A spill over a disk of so many bytes, and 128 computed tokens. */
async function setUp(bytesMax: number) {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-spill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const tokens = new Int32Array(2 * storedTokensMin);
  const context = createBookContext({ cells: 1_024, vocabularySize: 4, choose: () => 0 });
  await context.decode(
    Array.from(tokens, (token, position) => ({ token, position, sequence: 1, needsLogits: false })),
  );
  const files = openPrefixFiles({ folder, bytesMax, identity, contextTokens: 1_024 });
  const spill = createPrefixSpill({
    context,
    files,
    pace: createTransferPace(),
    onDue: () => undefined,
    onLost: () => undefined,
  });
  return { tokens, files, spill, cache: createPrefixCache() };
}

it('counts on no file for a prefix while the disk takes none', async () => {
  // Room for a shorter prefix only.
  const { tokens, files, spill, cache } = await setUp(10 * storedTokensMin);
  expect(spill.isKept(tokens.length)).toBe(true);
  spill.keep(cache.add('one', 1, tokens));
  await files.settled();
  expect([spill.isKept(tokens.length), files.count]).toEqual([false, 0]);
  spill.keep(cache.add('one', 1, tokens.subarray(0, storedTokensMin)));
  await files.settled();
  expect([spill.isKept(tokens.length), files.count]).toEqual([true, 1]);
});

it('writes prefixes that begin alike once, but for those with much of their own', async () => {
  const { tokens, files, spill, cache } = await setUp(1_000_000);
  const withTail = (length: number): Int32Array =>
    Int32Array.of(...tokens, ...new Int32Array(length).fill(1));
  const entries = [
    cache.add('one', 1, tokens),
    cache.add('one', 2, withTail(storedTokensMin - 1)),
    cache.add('one', 3, withTail(storedTokensMin)),
  ];
  expect(spill.tokensToWrite(entries)).toBe(2 * storedTokensMin + 3 * storedTokensMin);
  for (const entry of entries.slice(0, 2)) spill.keep(entry);
  await files.settled();
  expect([files.count, spill.tokensToWrite(entries)]).toEqual([1, 3 * storedTokensMin]);
});
