import type { ExtractLimits } from '../document.ts';
import type { FormatText } from '../extract-document.ts';
import type { Archive } from '../open-archive.ts';
import { createTextBuilder, type TextBuilder } from '../text-builder.ts';
import { readXmlElement, walkXml } from '../walk-xml.ts';

/**
 * The text of a Word file (ECMA-376, part 1, section 17): paragraphs, headings, lists, tables and notes, in the order of
 * the document. An own reader, because mammoth inflates without bounds and brings 24 packages to make HTML of it.
 */
export function extractDocx(archive: Archive, { textCharsMax }: ExtractLimits): FormatText {
  const builder = createTextBuilder(textCharsMax);
  for (const part of ['word/document.xml', 'word/footnotes.xml', 'word/endnotes.xml']) {
    const xml = archive.readText(part);
    if (xml !== undefined) readBody(xml, builder);
  }
  const properties = archive.readText('docProps/core.xml');
  const language = readXmlElement(properties, 'language');
  return {
    title: readXmlElement(properties, 'title'),
    text: builder.finish(),
    ...(language !== '' && { language }),
  };
}

function readBody(xml: string, builder: TextBuilder): void {
  let paragraph = '';
  let prefix = '';
  /** Cells of the rows that are open, innermost last: tables may stand in tables. */
  const rows: string[][] = [];
  let isText = false;
  /** Inside the copy of a drawing that is kept for old programs. */
  let fallbackDepth = 0;
  const inCell = (): string[] | undefined => rows.at(-1);
  walkXml(xml, {
    onOpen(name, attributes) {
      if (name === 'Fallback') fallbackDepth += 1;
      else if (name === 't') isText = true;
      else if (name === 'tab') paragraph += '\t';
      else if (name === 'br' || name === 'cr') paragraph += '\n';
      else if (name === 'noBreakHyphen') paragraph += '-';
      else if (name === 'pStyle') prefix = headingPrefix(attributes['w:val'] ?? '') || prefix;
      else if (name === 'numPr') prefix = prefix || '- ';
      else if (name === 'tr') rows.push([]);
      else if (name === 'tc') inCell()?.push('');
    },
    onText(text) {
      if (isText && fallbackDepth === 0) paragraph += text;
    },
    onClose(name) {
      if (name === 'Fallback') fallbackDepth -= 1;
      else if (name === 't') isText = false;
      else if (name === 'tr') {
        builder.add(`${rows.pop()?.join(' | ').trim() ?? ''}`);
        builder.endLine();
      } else if (name === 'tbl') builder.endParagraph();
      else if (name === 'p') {
        const text = paragraph.trim();
        const cells = inCell();
        if (cells !== undefined && cells.length > 0) {
          cells.push(`${cells.pop() ?? ''} ${text.replaceAll('\n', ' ')}`.trim());
        } else if (text !== '') {
          builder.add(prefix + text);
          if (prefix === '- ') builder.endLine();
          else builder.endParagraph();
        }
        paragraph = '';
        prefix = '';
      }
    },
  });
  builder.endParagraph();
}

/** `Heading2` (in many languages the id stays English; German Word writes `berschrift2`) → `## `. */
function headingPrefix(styleId: string): string {
  const level = /^(?:heading|berschrift|titre|ttulo|rubrik|kop)\s*([1-6])$/i.exec(styleId)?.[1];
  if (level !== undefined) return `${'#'.repeat(Number(level))} `;
  return /^title$/i.test(styleId) ? '# ' : '';
}
