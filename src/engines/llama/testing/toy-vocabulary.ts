/** A vocabulary made of a few words, and constraints that are lists of sentences: small enough to check by hand. */
import type { CompletionPiece, ConstraintState } from '../../../grammar/constraint.ts';
import type { VocabularyView } from '../vocabulary-view.ts';

export interface ToyVocabulary extends VocabularyView {
  /** The token with exactly this text, control or not. */
  id(text: string): number;
  /** A row of logits: the given ones, all others `rest`. */
  row(logits: Readonly<Record<string, number>>, rest?: number): Float32Array;
}

/**
 * `words` are texts or byte lists of ordinary tokens; `controls` name control tokens, of which `<end>` ends a
 * generation.
 */
export function createToyVocabulary(
  words: readonly (string | readonly number[])[],
  controls: readonly string[] = ['<end>'],
): ToyVocabulary {
  const bytes = words.map((word) => (typeof word === 'string' ? Buffer.from(word) : Uint8Array.from(word)));
  const names = words.map((word) => (typeof word === 'string' ? word : undefined));
  const controlText = (token: number): string => controls[token - words.length] ?? '';
  const id = (text: string): number => {
    const word = names.indexOf(text);
    const token = word >= 0 ? word : controls.indexOf(text) + words.length;
    if (token < words.length && word < 0) throw new Error(`no token ${text}`);
    return token;
  };
  const size = words.length + controls.length;
  return {
    size,
    id,
    tokenBytes: (token) => bytes[token] ?? new Uint8Array(0),
    isControl: (token) => token >= words.length,
    isEndOfGeneration: (token) => controlText(token) === '<end>',
    controlText,
    tokenByControlText: (text) => (controls.includes(text) ? id(text) : undefined),
    tokenize: (text) => [...text].map(id),
    row(logits, rest = Number.NEGATIVE_INFINITY) {
      const row = new Float32Array(size).fill(rest);
      for (const [text, logit] of Object.entries(logits)) row[id(text)] = logit;
      return row;
    },
  };
}

/**
 * Exactly these sentences. A control token stands in them by its text in guillemets: `«<call>»`. `key` names states,
 * for caches.
 */
export function allowSentences(sentences: readonly string[], hasKeys = true): ConstraintState {
  const at = (prefix: string): ConstraintState => {
    const open = sentences.filter((sentence) => sentence.startsWith(prefix));
    const canEnd = open.includes(prefix);
    const move = (next: string): ConstraintState | null =>
      sentences.some((sentence) => sentence.startsWith(next)) ? at(next) : null;
    return {
      canEnd,
      mustEnd: canEnd && open.length === 1,
      isConstraining: true,
      key: hasKeys ? prefix : undefined,
      advance: (bytes) => move(prefix + Buffer.from(bytes).toString()),
      advanceSpecial: (token) => move(`${prefix}«${token}»`),
      shortestCompletion: () => (canEnd ? [] : splitSpecials(shortest(open).slice(prefix.length))),
    };
  };
  return at('');
}

function shortest(sentences: readonly string[]): string {
  return sentences.reduce((best, sentence) => (sentence.length < best.length ? sentence : best));
}

function splitSpecials(text: string): CompletionPiece[] {
  return text
    .split(/(«[^»]+»)/)
    .filter((part) => part !== '')
    .map((part) =>
      part.startsWith('«') ? { type: 'special', token: part.slice(1, -1) } : { type: 'text', text: part },
    );
}
