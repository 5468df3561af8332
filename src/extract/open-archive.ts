/** ZIP archives of strangers: Office files and EPUB are some. */
import { type UnzipFileInfo, unzipSync } from 'fflate';
import { decodeText } from './decode-text.ts';
import { ExtractError } from './document.ts';

/** Beyond what real documents have; each entry costs memory before its size is known. */
const entriesMax = 20_000;
/** Of all entries that are read together, as the directory declares them; no more than that is inflated. */
const inflatedBytesMax = 256 * 1024 * 1024;

export interface Archive {
  has(name: string): boolean;
  /** Text of one entry; undefined when there is none of this name. Throws ExtractError. */
  readText(name: string): string | undefined;
}

/** Reads the directory. Throws ExtractError `damaged` or `too_large`. */
export function openArchive(bytes: Uint8Array): Archive {
  const names = new Set<string>();
  inflate(bytes, ({ name }) => {
    names.add(name);
    if (names.size > entriesMax) throw new ExtractError('too_large', 'The file holds too many parts.');
    return false;
  });
  let inflatedBytes = 0;
  return {
    has: (name) => names.has(name),
    readText(name) {
      if (!names.has(name)) return undefined;
      const parts = inflate(bytes, (entry) => {
        if (entry.name !== name) return false;
        inflatedBytes += entry.originalSize;
        if (inflatedBytes > inflatedBytesMax) {
          throw new ExtractError('too_large', 'The file is too large when it is unpacked.');
        }
        return true;
      });
      const part = parts[name];
      return part === undefined ? undefined : decodeText(part, '', true).text;
    },
  };
}

/** Inflates what the filter takes, each entry into exactly as many bytes as the directory declares for it. */
function inflate(bytes: Uint8Array, filter: (entry: UnzipFileInfo) => boolean): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof ExtractError) throw error;
    throw new ExtractError('damaged', 'The file is damaged: it is not a complete archive.', { cause: error });
  }
}
