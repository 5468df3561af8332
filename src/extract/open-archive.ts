/** ZIP archives of strangers (APPNOTE.TXT 6.3.10, with ZIP64): Office files and EPUB are some. */
import { crc32, inflateRawSync } from 'node:zlib';
import { decodeText } from './decode-text.ts';
import { ExtractError } from './document.ts';

/** Beyond what real documents have; each entry costs memory before its size is known. */
const entriesMax = 20_000;
/** Of all entries that are read together, as the directory declares them; no more than that is inflated. */
const inflatedBytesMax = 256 * 1024 * 1024;

const endSignature = Buffer.from('PK\x05\x06', 'latin1');
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const endBytes = 22;
const entryBytes = 46;
const localBytes = 30;
const locator64Bytes = 20;
/** What a field of 32 bits holds when the number stands in the ZIP64 field. */
const beyond32Bits = 0xffff_ffff;

export interface Archive {
  has(name: string): boolean;
  /** Text of one entry; undefined when there is none of this name. Throws ExtractError. */
  readText(name: string): string | undefined;
}

interface Entry {
  readonly isEncrypted: boolean;
  /** 0 = stored, 8 = deflated. */
  readonly method: number;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly localHeaderOffset: number;
}

/** Reads the directory. Throws ExtractError `damaged` or `too_large`. */
export function openArchive(bytes: Uint8Array): Archive {
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries = orDamaged(() => readDirectory(archive));
  let inflatedBytes = 0;
  return {
    has: (name) => entries.has(name),
    readText(name) {
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      if (entry.isEncrypted) throw new ExtractError('encrypted', 'The file is protected by a password.');
      inflatedBytes += entry.sizeBytes;
      if (inflatedBytes > inflatedBytesMax) {
        throw new ExtractError('too_large', 'The file is too large when it is unpacked.');
      }
      return decodeText(
        orDamaged(() => readEntry(archive, entry)),
        '',
        true,
      ).text;
    },
  };
}

/** By name; of entries with one name the last counts. Throws ExtractError, and RangeError for what is cut off. */
function readDirectory(archive: Buffer): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  let count = 0;
  for (let at = findDirectory(archive); archive.readUInt32LE(at) === entrySignature; ) {
    count += 1;
    if (count > entriesMax) throw new ExtractError('too_large', 'The file holds too many parts.');
    const nameEnd = at + entryBytes + archive.readUInt16LE(at + 28);
    const extraEnd = nameEnd + archive.readUInt16LE(at + 30);
    const name = decodeText(archive.subarray(at + entryBytes, nameEnd)).text;
    const readLong = longReader(archive.subarray(nameEnd, extraEnd));
    entries.set(name, {
      isEncrypted: (archive.readUInt16LE(at + 8) & 1) === 1,
      method: archive.readUInt16LE(at + 10),
      crc: archive.readUInt32LE(at + 16),
      // In the order in which their ZIP64 values stand.
      sizeBytes: readLong(archive.readUInt32LE(at + 24)),
      compressedBytes: readLong(archive.readUInt32LE(at + 20)),
      localHeaderOffset: readLong(archive.readUInt32LE(at + 42)),
    });
    at = extraEnd + archive.readUInt16LE(at + 32);
  }
  return entries;
}

/** Where the directory begins, by the record at the archive's end. */
function findDirectory(archive: Buffer): number {
  const end = archive.lastIndexOf(endSignature, archive.length - endBytes);
  if (end === -1) throw new Error('there is no end of a directory');
  const offset = archive.readUInt32LE(end + 16);
  const locator = end - locator64Bytes;
  if (offset !== beyond32Bits || archive.readUInt32LE(locator) !== locator64Signature) return offset;
  const end64 = Number(archive.readBigUInt64LE(locator + 8));
  return archive.readUInt32LE(end64) === end64Signature
    ? Number(archive.readBigUInt64LE(end64 + 48))
    : offset;
}

/** Numbers of one entry: those that do not fit into 32 bits stand one behind the other in its extra field 1. */
function longReader(extra: Buffer): (short: number) => number {
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== 1) at += 4 + extra.readUInt16LE(at + 2);
  at += 4;
  return (short) => {
    if (short !== beyond32Bits || at + 8 > extra.length) return short;
    at += 8;
    return Number(extra.readBigUInt64LE(at - 8));
  };
}

/** Exactly the bytes that the directory declares: whatever else inflates is damage, and is not inflated further. */
function readEntry(archive: Buffer, entry: Entry): Buffer {
  const { localHeaderOffset: local, sizeBytes, compressedBytes } = entry;
  if (archive.readUInt32LE(local) !== localSignature) throw new Error('there is no entry');
  const start = local + localBytes + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(start, start + compressedBytes);
  const content = unpack(packed, entry);
  if (content.length !== sizeBytes || crc32(content) !== entry.crc) {
    throw new Error('the entry is not what the directory declares');
  }
  return content;
}

function unpack(packed: Buffer, { method, sizeBytes }: Entry): Buffer {
  if (method === 0) return packed;
  if (method !== 8) throw new Error(`compression method ${method} is not read`);
  return inflateRawSync(packed, { maxOutputLength: Math.max(1, sizeBytes) });
}

/** Offsets of strangers point anywhere, and what lies there may be anything. */
function orDamaged<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ExtractError) throw error;
    throw new ExtractError('damaged', 'The file is damaged: it is not a complete archive.', { cause: error });
  }
}
