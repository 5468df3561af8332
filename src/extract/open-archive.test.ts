import { expect, it } from 'vitest';
import { makeArchive } from './__fixtures__/make-office.ts';
import { ExtractError, type ExtractFailure } from './document.ts';
import { openArchive } from './open-archive.ts';

const name = 'word/document.xml';
const text = '第一章 '.repeat(1_000);

/** Changes the directory's entry of an archive of one part (APPNOTE.TXT 4.3.12). */
function changeEntry(change: (entry: Buffer, archive: Buffer) => void, part = text): Buffer {
  const archive = Buffer.from(makeArchive({ [name]: part }));
  change(archive.subarray(archive.lastIndexOf(name) - 46), archive);
  return archive;
}

function failureOf(archive: Uint8Array): ExtractFailure | undefined {
  try {
    openArchive(archive).readText(name);
    return undefined;
  } catch (error) {
    if (error instanceof ExtractError) return error.failure;
    throw error;
  }
}

it('an archive gives its parts by their names', () => {
  const archive = openArchive(makeArchive({ [name]: text, '第一章.xhtml': 'chapter', empty: '' }));
  expect(archive.readText(name)).toBe(text);
  expect(archive.readText('第一章.xhtml')).toBe('chapter');
  expect(archive.readText('empty')).toBe('');
  expect(archive.has('nothing')).toBe(false);
  expect(archive.readText('nothing')).toBeUndefined();
});

it('an archive in the long form, as streaming programs write it, is read', () => {
  const plain = Buffer.from(makeArchive({ [name]: text }));
  const at = plain.lastIndexOf(name) - 46;
  const end = plain.lastIndexOf('PK\u0005\u0006');
  const head = Buffer.from(plain.subarray(at, end));
  const long = Buffer.alloc(4 + 24);
  long.writeUInt16LE(1, 0);
  long.writeUInt16LE(24, 2);
  long.writeBigUInt64LE(BigInt(head.readUInt32LE(24)), 4);
  long.writeBigUInt64LE(BigInt(head.readUInt32LE(20)), 12);
  long.writeBigUInt64LE(BigInt(head.readUInt32LE(42)), 20);
  for (const field of [20, 24, 42]) head.writeUInt32LE(0xffff_ffff, field);
  head.writeUInt16LE(long.length, 30);
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(BigInt(at), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(at + head.length + long.length), 8);
  const last = Buffer.from(plain.subarray(end));
  last.writeUInt32LE(0xffff_ffff, 16);
  const archive = Buffer.concat([plain.subarray(0, at), head, long, end64, locator, last]);
  expect(openArchive(archive).readText(name)).toBe(text);
});

it.each<[string, ExtractFailure, Buffer]>([
  ['declares less than it holds', 'damaged', changeEntry((entry) => entry.writeUInt32LE(100, 24))],
  ['declares nothing', 'damaged', changeEntry((entry) => entry.writeUInt32LE(0, 24))],
  ['declares more than it holds', 'damaged', changeEntry((entry) => entry.writeUInt32LE(1_000_000, 24))],
  [
    'declares more than may be read',
    'too_large',
    changeEntry((entry) => entry.writeUInt32LE(0x2000_0000, 24)),
  ],
  ['holds something else than it declares', 'damaged', changeEntry((entry) => entry.writeUInt32LE(1, 16))],
  ['points behind its end', 'damaged', changeEntry((entry) => entry.writeUInt32LE(0x7000_0000, 42))],
  ['points to what is no part', 'damaged', changeEntry((entry) => entry.writeUInt32LE(5, 42))],
  ['is packed in another way', 'damaged', changeEntry((entry) => entry.writeUInt16LE(12, 10))],
  ['needs a password', 'encrypted', changeEntry((entry) => entry.writeUInt16LE(1, 8))],
  ['has no directory', 'damaged', changeEntry((_, archive) => archive.writeUInt32LE(0, archive.length - 22))],
  ['is a few bytes', 'damaged', Buffer.from('PK\u0003\u0004')],
])('an archive that %s is refused', (_, failure, archive) => {
  expect(failureOf(archive)).toBe(failure);
});

it('a bomb under a small declared size is not inflated further than that', () => {
  const archive = changeEntry((entry) => entry.writeUInt32LE(1_000, 24), 'x'.repeat(50_000_000));
  expect(archive.length).toBeLessThan(100_000);
  expect(failureOf(archive)).toBe('damaged');
});

it('an archive of too many parts is too large, whatever they are called', () => {
  const archive = Buffer.from(makeArchive({ [name]: text }));
  const start = archive.lastIndexOf(name) - 46;
  const end = archive.lastIndexOf('PK\u0005\u0006');
  const directory = Buffer.alloc((end - start) * 20_001, archive.subarray(start, end));
  expect(failureOf(Buffer.concat([archive.subarray(0, start), directory, archive.subarray(end)]))).toBe(
    'too_large',
  );
});
