/** Bytes → text, in whatever encoding people saved it: UTF-8 and UTF-16, GBK, Big5, Shift-JIS, EUC-KR, windows-125x. */
import { analyse } from 'chardet';

export interface DecodedText {
  readonly text: string;
  /** The encoding's name in the WHATWG standard, lower case. */
  readonly encoding: string;
}

/** As far as the HTML standard looks (1,024 bytes), with room for pages that put scripts first. */
const metaPrescanBytes = 8_192;
/** Statistics over more than this cost time and decide nothing. */
const guessBytes = 65_536;

/**
 * In the order of the HTML standard: byte-order mark, the transport's word, the document's own word; then UTF-8 if it is
 * valid, then statistics. A label that no decoder knows is passed over.
 */
export function decodeText(bytes: Uint8Array, mediaType = '', isMarkup = false): DecodedText {
  const marked = encodingOfMark(bytes);
  if (marked !== undefined) return decodeAs(marked, bytes);
  const declared = [charsetOf(mediaType), ...(isMarkup ? [declaredEncoding(bytes)] : [])].find(
    isKnownEncoding,
  );
  if (declared !== undefined && normalizeEncoding(declared) !== 'utf-8') return decodeAs(declared, bytes);
  // Much that calls itself UTF-8 is not, and much that says nothing is: validity decides better than labels.
  const utf8 = decodeStrictly(bytes);
  if (utf8 !== undefined) return { text: utf8, encoding: 'utf-8' };
  return decodeAs(guessEncoding(bytes) ?? declared ?? 'windows-1252', bytes);
}

/** `text/html; charset="gbk"` → `gbk`. */
export const charsetOf = (mediaType: string): string | undefined =>
  /charset\s*=\s*["']?([^\s"';]+)/i.exec(mediaType)?.[1];

function encodingOfMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

/** `<meta charset>`, `<meta http-equiv content="…charset=…">` or `<?xml encoding="…"?>`. */
function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, metaPrescanBytes));
  const withoutComments = head.replace(/<!--[\s\S]*?-->/g, '');
  const label =
    /<meta\s[^>]*charset\s*=\s*["']?\s*([^\s"'/>;]+)/i.exec(withoutComments)?.[1] ??
    /^\s*<\?xml\s[^>]*encoding\s*=\s*["']([^"']+)/i.exec(withoutComments)?.[1];
  // Whoever could read the label in single bytes was not reading UTF-16.
  return label !== undefined && /^utf-?16/i.test(label) ? 'utf-8' : label;
}

function normalizeEncoding(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    // A RangeError is how the platform says that it knows no such label.
    return undefined;
  }
}

const isKnownEncoding = (label: string | undefined): label is string =>
  label !== undefined && normalizeEncoding(label) !== undefined;

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // A TypeError is how the decoder says that the bytes are not UTF-8.
    return undefined;
  }
}

function guessEncoding(bytes: Uint8Array): string | undefined {
  const matches = analyse(bytes.subarray(0, guessBytes));
  // ISO-2022 and the like are read from escape sequences that binary files contain by chance.
  return matches.map(({ name }) => name).find((name) => isKnownEncoding(name) && name !== 'UTF-8');
}

function decodeAs(label: string, bytes: Uint8Array): DecodedText {
  const decoder = new TextDecoder(label);
  return { text: decoder.decode(bytes), encoding: decoder.encoding };
}
