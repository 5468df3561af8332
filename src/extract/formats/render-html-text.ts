/** HTML → text as a stream: no tree, no recursion, so that neither size nor nesting can hurt. Used where layout is simple. */
import { Parser } from 'htmlparser2';
import { ExtractError } from '../document.ts';
import { createTextBuilder, type TextBuilder, trimmedLength } from '../text-builder.ts';

const paragraphTags = new Set(
  'address article aside blockquote body dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section table ul'.split(
    ' ',
  ),
);
const lineTags = new Set(['br', 'li', 'tr', 'option', 'caption']);
const silentTags = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'svg',
  'math',
  'iframe',
  'object',
  'head',
  'select',
  'button',
]);

/** The parser's time grows with the square of the depth; real pages nest some thirty levels. */
const depthMax = 10_000;

export interface RenderedHtml {
  readonly title: string;
  readonly text: string;
  /** `lang` of the document. */
  readonly language: string;
  /** Deepest nesting, and number of elements: what a tree of it would cost. */
  readonly depth: number;
  readonly elementCount: number;
  /** `href` of the document's `base`; empty without one. */
  readonly base: string;
  /** `href` of every `a`, as written, hidden ones too: what leads on is not only what is read. */
  readonly links: readonly string[];
}

interface RenderOptions {
  /** Further elements whose text is left out, e.g. navigation. */
  readonly skip?: ReadonlySet<string>;
}

/** Throws ExtractError `too_large`. */
export function renderHtmlText(html: string, charsMax: number, { skip }: RenderOptions = {}): RenderedHtml {
  const builder = createTextBuilder(charsMax);
  const line = createLine(builder);
  let title = '';
  let language = '';
  let isTitle = false;
  let silentDepth = 0;
  let preDepth = 0;
  let openDepth = 0;
  let depth = 0;
  let elementCount = 0;
  let base = '';
  const links: string[] = [];
  /** Open elements that silence what is in them, innermost last: only their own end ends the silence. */
  const isSilent = (name: string, attributes: Readonly<Record<string, string>>): boolean =>
    silentTags.has(name) || skip?.has(name) === true || isHidden(attributes);
  const parser = new Parser({
    onopentag(name, attributes) {
      elementCount += 1;
      openDepth += 1;
      depth = Math.max(depth, openDepth);
      if (depth > depthMax) throw new ExtractError('damaged', 'The page is nested too deeply.');
      if (name === 'html') language = attributes.lang ?? '';
      else if (name === 'base') base = base || (attributes.href ?? '');
      else if (name === 'a' && attributes.href !== undefined) links.push(attributes.href);
      if (name === 'title' && title === '') isTitle = true;
      // Void elements never end, so they cannot begin a silence.
      if (silentDepth > 0 || (isSilent(name, attributes) && !voidTags.has(name))) {
        if (!voidTags.has(name)) silentDepth += 1;
        return;
      }
      if (name === 'pre') preDepth += 1;
      if (paragraphTags.has(name)) line.endParagraph();
      else if (lineTags.has(name)) line.endLine();
      if (name === 'li') line.add('- ');
      else if (/^h[1-6]$/.test(name)) line.add(`${'#'.repeat(Number(name[1]))} `);
    },
    ontext(text) {
      if (isTitle) title += text;
      if (silentDepth > 0) return;
      if (preDepth > 0) line.addPreformatted(text);
      else line.add(text);
    },
    onclosetag(name) {
      openDepth -= 1;
      if (name === 'title') isTitle = false;
      if (silentDepth > 0) {
        if (!voidTags.has(name)) silentDepth -= 1;
        return;
      }
      if (name === 'pre') preDepth = Math.max(0, preDepth - 1);
      if (name === 'td' || name === 'th') line.add(' | ');
      if (paragraphTags.has(name)) line.endParagraph();
      else if (lineTags.has(name)) line.endLine();
    },
  });
  parser.write(html);
  parser.end();
  line.endParagraph();
  return { title: collapse(title), text: builder.finish(), language, depth, elementCount, base, links };
}

const voidTags = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));

const isHidden = (attributes: Readonly<Record<string, string>>): boolean =>
  attributes.hidden !== undefined ||
  /display\s*:\s*none|visibility\s*:\s*hidden/i.test(attributes.style ?? '');

export const collapse = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** Collapses white space as browsers do, across element borders. */
function createLine(builder: TextBuilder) {
  // In pieces: looking at the end of a growing string would copy it every time.
  let pieces: string[] = [];
  /** White space that follows says nothing. */
  let isSpaced = true;
  const flush = (): void => {
    const line = pieces.join('');
    builder.add(line.slice(0, trimmedLength(line, ' |')));
    pieces = [];
    isSpaced = true;
  };
  return {
    add(text: string): void {
      const collapsed = text.replaceAll(/[ \t\r\n\f]+/g, ' ');
      const piece = isSpaced ? collapsed.trimStart() : collapsed;
      if (piece === '') return;
      pieces.push(piece);
      isSpaced = piece.endsWith(' ');
    },
    addPreformatted(text: string): void {
      flush();
      builder.add(text.replaceAll('\r\n', '\n'));
    },
    endLine(): void {
      flush();
      builder.endLine();
    },
    endParagraph(): void {
      flush();
      builder.endParagraph();
    },
  };
}
