/** Finds where a JSON object or array ends, in text that comes in chunks. */
export interface JsonValueEnd {
  /** Length of the part of this chunk that still belongs to the value, when it ends in it. */
  find(chunk: string): number | undefined;
}

export function createJsonValueEnd(): JsonValueEnd {
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  return {
    find(chunk) {
      for (let index = 0; index < chunk.length; index++) {
        const character = chunk[index];
        if (isInString) {
          if (isEscaped) isEscaped = false;
          else if (character === '\\') isEscaped = true;
          else if (character === '"') isInString = false;
        } else if (character === '"') {
          isInString = true;
        } else if (character === '{' || character === '[') {
          depth++;
        } else if (character === '}' || character === ']') {
          depth--;
          if (depth <= 0) return index + 1;
        }
      }
      return undefined;
    },
  };
}
