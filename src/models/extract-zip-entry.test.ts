import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openZipEntry } from './extract-zip-entry.ts';

// Python writes the archives, because Python's tools write the wheels.
const writeArchive = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as archive:
    archive.comment = b'a comment'
    archive.writestr('small.txt', 'first')
    archive.writestr('folder/deflated.bin', bytes(range(256)) * 4000, zipfile.ZIP_DEFLATED)
    archive.writestr('folder/stored.bin', bytes(range(256)) * 40, zipfile.ZIP_STORED)
`;
const bytes = (repeat: number) =>
  Buffer.from(Array.from({ length: 256 * repeat }, (_, index) => index % 256));

let folder = '';
let archive = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'perigee-zip-'));
  archive = path.join(folder, 'archive.whl');
  execFileSync('python3', ['-c', writeArchive, archive]);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('openZipEntry', () => {
  it.each([
    ['folder/deflated.bin', 4000],
    ['folder/stored.bin', 40],
  ])('gives the bytes of %s', async (name, repeat) => {
    const entry = await openZipEntry(archive, name);
    expect(entry.sizeBytes).toBe(256 * repeat);
    expect(await buffer(entry.content)).toEqual(bytes(repeat));
  });

  it('names an entry that is not there', async () => {
    await expect(openZipEntry(archive, 'none')).rejects.toThrow(/does not contain none/);
  });

  it('refuses an archive that was cut off', async () => {
    const cut = path.join(folder, 'cut.whl');
    writeFileSync(cut, readFileSync(archive).subarray(0, 1_000));
    await expect(openZipEntry(cut, 'small.txt')).rejects.toThrow(/not a complete ZIP archive/);
  });
});
