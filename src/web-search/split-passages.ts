/** The size of what is weighed and quoted: a paragraph or two. */
const passageLength = { aim: 700, max: 1_000 } as const;

/** As Markdown writes it, and as pages and documents are extracted. */
const heading = /^\s*#{1,6} /;
const headingLengthMax = 200;

const sentences = new Intl.Segmenter(undefined, { granularity: 'sentence' });

/**
 * A text as passages of whole paragraphs, at most `max` characters each below its headings; a longer paragraph is cut
 * between sentences, a longer sentence between characters. Together, in order, they are the text.
 */
export function splitPassages(text: string): readonly string[] {
  const passages: string[] = [];
  let current = '';
  const flush = (): void => {
    if (current.trim() !== '') passages.push(current.trim());
    current = '';
  };
  for (const paragraph of text.split(/\n\s*\n/)) {
    // What stands under a heading is about it; what stands above it is not.
    if (heading.test(paragraph) && !isHeading(current)) flush();
    for (const piece of splitParagraph(paragraph.trim())) {
      if (!isHeading(current) && current.length + piece.length > passageLength.aim) flush();
      current += current === '' ? piece : `\n${piece}`;
    }
  }
  flush();
  return passages;
}

/** Headings alone say nothing, so what follows is joined to them however long it is. */
const isHeading = (text: string): boolean =>
  text.length <= headingLengthMax && text.split('\n').every((line) => heading.test(line));

function* splitParagraph(paragraph: string): Generator<string> {
  if (paragraph.length <= passageLength.max) {
    if (paragraph !== '') yield paragraph;
    return;
  }
  let current = '';
  for (const { segment } of sentences.segment(paragraph)) {
    if (current !== '' && current.length + segment.length > passageLength.aim) {
      yield current.trim();
      current = '';
    }
    current += segment;
    while (current.length > passageLength.max) {
      const cut = cutBefore(current, passageLength.max);
      yield current.slice(0, cut).trim();
      current = current.slice(cut);
    }
  }
  if (current.trim() !== '') yield current.trim();
}

/** A position that is between words where there are any, and never within a surrogate pair. */
function cutBefore(text: string, lengthMax: number): number {
  const space = text.lastIndexOf(' ', lengthMax);
  if (space > lengthMax / 2) return space;
  const isHighSurrogate = (text.charCodeAt(lengthMax - 1) & 0xfc00) === 0xd800;
  return isHighSurrogate ? lengthMax - 1 : lengthMax;
}
