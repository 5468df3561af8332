/** Joins chunks of bytes, which may begin and end inside a UTF-8 character, into text of whole characters. */
export interface Utf8Joiner {
  /** The characters that are complete now. Invalid bytes become U+FFFD, as in a TextDecoder stream. */
  push(bytes: Uint8Array): string;
  /** Bytes of an unfinished character as U+FFFD. */
  flush(): string;
  /** Whether the beginning of a character is held back. */
  readonly isIncomplete: boolean;
}

// A byte order mark is a character of the model's answer like any other.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Decodes bytes at once; invalid ones become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function createUtf8Joiner(): Utf8Joiner {
  let held = new Uint8Array(0);
  return {
    get isIncomplete() {
      return held.length > 0;
    },
    push(bytes) {
      const joined = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      const complete = joined.length - countUnfinishedBytes(joined);
      held = joined.slice(complete);
      return decodeUtf8(joined.subarray(0, complete));
    },
    flush() {
      const text = decodeUtf8(held);
      held = new Uint8Array(0);
      return text;
    },
  };
}

/** Bytes at the end that begin a character and lack its rest. */
function countUnfinishedBytes(bytes: Uint8Array): number {
  const lookBack = Math.min(3, bytes.length);
  for (let count = 1; count <= lookBack; count++) {
    const byte = bytes[bytes.length - count] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    return count < characterLength(byte) ? count : 0;
  }
  return 0;
}

function characterLength(leadByte: number): number {
  if (leadByte >= 0xf0 && leadByte <= 0xf4) return 4;
  if (leadByte >= 0xe0 && leadByte < 0xf0) return 3;
  if (leadByte >= 0xc2 && leadByte < 0xe0) return 2;
  return 1;
}
