/** About as much as a source's excerpt: short enough to rank well, long enough to be understood alone. */
const passageCharsMax = 1_800;

/** Cuts a document's text at its paragraphs, long paragraphs at their sentences, and what is longer still anywhere. */
export function splitText(text: string): readonly string[] {
  const passages: string[] = [];
  let current = '';
  for (const piece of text.split(/\n{2,}/).flatMap(cutParagraph)) {
    if (current !== '' && current.length + piece.length > passageCharsMax) {
      passages.push(current);
      current = '';
    }
    current = current === '' ? piece : `${current}\n\n${piece}`;
  }
  if (current.trim() !== '') passages.push(current);
  return passages;
}

function cutParagraph(paragraph: string): readonly string[] {
  if (paragraph.length <= passageCharsMax) return paragraph.trim() === '' ? [] : [paragraph];
  const pieces: string[] = [];
  let rest = paragraph;
  while (rest.length > passageCharsMax) {
    const ends = [...rest.slice(0, passageCharsMax).matchAll(/[.!?。！？\n]\s*/g)];
    const last = ends.at(-1);
    const end = last === undefined ? betweenCharacters(rest, passageCharsMax) : last.index + last[0].length;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...pieces, rest].filter((piece) => piece.trim() !== '');
}

/** The same position, or the one before it where it would cut a surrogate pair. */
function betweenCharacters(text: string, position: number): number {
  return (text.charCodeAt(position - 1) & 0xfc00) === 0xd800 ? position - 1 : position;
}
