/**
 * Turns the pieces of a prompt into runs for the tokenizer: special tokens that the template wrote, and plain text
 * between them. Neighbouring plain text is joined before it is tokenized, because `user\n` + `Hello` must become
 * the tokens that the model was trained on; caller text can still never become a control token.
 */
import type { PromptPiece } from './protocol.ts';

export type PromptRun =
  | { readonly type: 'special'; readonly token: number }
  | { readonly type: 'text'; readonly text: string };

/** Where a run must not be joined with its neighbour: a caller spelled a marker there. */
export interface PromptFragment extends PromptPiece {
  readonly startsRun: boolean;
}

/**
 * llama.cpp turns user-defined tokens (`<tool_call>` in some models) into tokens even in plain text, so caller text
 * that spells one is cut behind the marker's first character and tokenized in two runs.
 */
export function splitInsideMarkers(
  pieces: readonly PromptPiece[],
  markers: readonly string[],
): PromptFragment[] {
  const pattern = markers.length === 0 ? undefined : alternatives(markers);
  const fragments: PromptFragment[] = [];
  for (const piece of pieces) {
    if (piece.isControl || pattern === undefined) {
      fragments.push({ ...piece, startsRun: false });
      continue;
    }
    let start = 0;
    for (const match of piece.text.matchAll(pattern)) {
      const cut = match.index + 1;
      fragments.push({ text: piece.text.slice(start, cut), isControl: false, startsRun: start > 0 });
      start = cut;
    }
    fragments.push({ text: piece.text.slice(start), isControl: false, startsRun: start > 0 });
  }
  return fragments;
}

export function mergePieces(
  fragments: readonly PromptFragment[],
  specialTokens: readonly string[],
  tokenByText: (text: string) => number | undefined,
): PromptRun[] {
  const pattern = specialTokens.length === 0 ? undefined : alternatives(specialTokens);
  const runs: PromptRun[] = [];
  let text = '';
  const endText = () => {
    if (text !== '') runs.push({ type: 'text', text });
    text = '';
  };
  for (const fragment of fragments) {
    if (fragment.startsRun) endText();
    let start = 0;
    const matches = fragment.isControl && pattern !== undefined ? fragment.text.matchAll(pattern) : [];
    for (const match of matches) {
      const token = tokenByText(match[0]);
      if (token === undefined) continue;
      text += fragment.text.slice(start, match.index);
      endText();
      runs.push({ type: 'special', token });
      start = match.index + match[0].length;
    }
    text += fragment.text.slice(start);
  }
  endText();
  return runs;
}

/** Longest text first, so that `<|im_end|>` wins over a shorter token that it starts with. */
function alternatives(texts: readonly string[]): RegExp {
  const sorted = [...texts].sort((a, b) => b.length - a.length);
  return new RegExp(sorted.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g');
}
