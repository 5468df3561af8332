import type { JsonValue } from './chat/types.ts';

/** The value of a JSON text. Undefined, which no JSON text stands for, for any other text. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}
