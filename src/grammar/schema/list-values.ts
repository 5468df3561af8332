/** The values of a shape, where they can be listed, and their texts. */
import type { JsonValue } from '../../chat/types.ts';
import type { TrieEntry } from '../automaton/trie.ts';
import type { CompileContext } from './compile-context.ts';
import { matchesShape } from './matches-shape.ts';
import { type Shape, typeBits } from './shape.ts';

/** The values of a shape that can be listed, and whether these are all of them. */
export function listValues(
  context: CompileContext,
  shape: Shape,
): { readonly values: readonly JsonValue[]; readonly isComplete: boolean } {
  if (shape.values !== null) {
    const others = { ...shape, values: null };
    const values = shape.values.filter((value) => matchesShape(context, others, value));
    if (values.length === 0) {
      context.contradictions.push({
        path: shape.path,
        problem: 'no listed value satisfies the other keywords',
      });
    }
    return { values, isComplete: true };
  }
  const values: JsonValue[] = [];
  if ((shape.types & typeBits.null) !== 0) values.push(null);
  if ((shape.types & typeBits.boolean) !== 0) values.push(true, false);
  return { values, isComplete: (shape.types & ~(typeBits.null | typeBits.boolean)) === 0 };
}

/** Trie entries without repetitions. */
export function distinctEntries(values: readonly JsonValue[]): readonly TrieEntry[] {
  return [...new Set(values.map((value) => JSON.stringify(value)))].map((text) => ({
    text,
    spacesAfter: text.startsWith('{') || text.startsWith('[') ? findSeparators(text) : [],
  }));
}

/** Indices of the commas and colons that stand outside strings. */
function findSeparators(text: string): readonly number[] {
  const found: number[] = [];
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (isInString && character === '\\') i++;
    else if (character === '"') isInString = !isInString;
    else if (!isInString && (character === ',' || character === ':')) found.push(i);
  }
  return found;
}
