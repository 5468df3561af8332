import { ExtractError } from './document.ts';

/** Collects a document's text within its limit. Throws ExtractError `too_large` beyond it. */
export interface TextBuilder {
  /** Adds text as it is. */
  add(text: string): void;
  /** Ends the line, unless it is empty. */
  endLine(): void;
  /** Ends the paragraph: exactly one blank line before what follows. */
  endParagraph(): void;
  /** What was collected, without white space around it. */
  finish(): string;
}

export function createTextBuilder(charsMax: number): TextBuilder {
  const parts: string[] = [];
  let length = 0;
  /** Line ends at the end of what was collected; as many as needed at its start. */
  let lineEnds = 2;
  const add = (text: string): void => {
    if (text === '') return;
    length += text.length;
    if (length > charsMax) {
      throw new ExtractError('too_large', `The document holds more than ${charsMax} characters of text.`);
    }
    parts.push(text);
    const textEnd = trimmedLength(text, '\n');
    lineEnds = textEnd === 0 ? lineEnds + text.length : text.length - textEnd;
  };
  const endLines = (count: number): void => {
    if (lineEnds < count) add('\n'.repeat(count - lineEnds));
  };
  return {
    add,
    endLine: () => endLines(1),
    endParagraph: () => endLines(2),
    finish: () => parts.join('').trim(),
  };
}

/** Length of a text without those characters at its end. A regular expression would begin at each run of them anew. */
export function trimmedLength(text: string, characters: string): number {
  let length = text.length;
  while (length > 0 && characters.includes(text.charAt(length - 1))) length -= 1;
  return length;
}
