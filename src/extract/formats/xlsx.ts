import type { ExtractLimits } from '../document.ts';
import type { FormatText } from '../extract-document.ts';
import type { Archive } from '../open-archive.ts';
import { createTextBuilder, type TextBuilder } from '../text-builder.ts';
import { readXmlElement, walkXml } from '../walk-xml.ts';
import { readRelations } from './read-relations.ts';
import { readDateStyles } from './xlsx-dates.ts';

const workbookPart = 'xl/workbook.xml';
/** As Excel has them; a reference beyond is damage. */
const columnsMax = 16_384;

/** The values of a workbook (ECMA-376, part 1, section 18): sheet by sheet, a line per row, tabs between cells. */
export function extractXlsx(archive: Archive, { textCharsMax }: ExtractLimits): FormatText {
  const builder = createTextBuilder(textCharsMax);
  const book: Book = {
    strings: readSharedStrings(archive.readText('xl/sharedStrings.xml')),
    formatDate: readDateStyles(archive.readText('xl/styles.xml'), archive.readText(workbookPart)),
  };
  const relations = readRelations(archive, workbookPart);
  walkXml(archive.readText(workbookPart) ?? '', {
    onOpen(name, attributes) {
      if (name !== 'sheet') return;
      const xml = archive.readText(relations.get(attributes['r:id'] ?? '') ?? '');
      if (xml === undefined) return;
      const rows = createTextBuilder(textCharsMax);
      readSheet(xml, book, rows);
      const text = rows.finish();
      if (text === '') return;
      builder.endParagraph();
      builder.add(`## ${attributes.name ?? ''}\n\n${text}`);
    },
  });
  return { title: readXmlElement(archive.readText('docProps/core.xml'), 'title'), text: builder.finish() };
}

interface Book {
  readonly strings: readonly string[];
  /** The date that a number means in a cell of this style; undefined when the style is for numbers. */
  readonly formatDate: (serial: number, style: number) => string | undefined;
}

function readSharedStrings(xml: string | undefined): readonly string[] {
  const strings: string[] = [];
  let text = '';
  let isText = false;
  /** How characters are pronounced, in Japanese files: not part of the text. */
  let isPhonetic = false;
  walkXml(xml ?? '', {
    onOpen(name) {
      if (name === 'si') text = '';
      else if (name === 'rPh') isPhonetic = true;
      else if (name === 't') isText = !isPhonetic;
    },
    onText(part) {
      if (isText) text += part;
    },
    onClose(name) {
      if (name === 'si') strings.push(text);
      else if (name === 'rPh') isPhonetic = false;
      else if (name === 't') isText = false;
    },
  });
  return strings;
}

function readSheet(xml: string, book: Book, rows: TextBuilder): void {
  let cells: string[] = [];
  let value = '';
  let isValue = false;
  let cell: Readonly<Record<string, string>> = {};
  walkXml(xml, {
    onOpen(name, attributes) {
      if (name === 'row') cells = [];
      else if (name === 'c') {
        cell = attributes;
        value = '';
      } else if (name === 'v' || name === 't') isValue = true;
    },
    onText(text) {
      if (isValue) value += text;
    },
    onClose(name) {
      if (name === 'v' || name === 't') isValue = false;
      else if (name === 'c') {
        const column = columnOf(cell.r) ?? cells.length;
        // Empty cells are not written, so the ones between are put back.
        while (cells.length < column) cells.push('');
        cells[column] = readValue(value, cell, book).replaceAll(/[\t\r\n]+/g, ' ');
      } else if (name === 'row') {
        rows.add(cells.join('\t').trimEnd());
        rows.endLine();
      }
    },
  });
}

/** `BC12` → 54. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference ?? '')?.[1];
  if (letters === undefined) return undefined;
  const column = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
  return column < columnsMax ? column : undefined;
}

function readValue(
  value: string,
  cell: Readonly<Record<string, string>>,
  { strings, formatDate }: Book,
): string {
  switch (cell.t) {
    case 's':
      return strings[Number(value)] ?? '';
    case 'b':
      return value === '1' ? 'TRUE' : 'FALSE';
    case undefined:
    case 'n': {
      const serial = Number(value);
      const isNumber = value !== '' && Number.isFinite(serial);
      return (isNumber ? formatDate(serial, Number(cell.s ?? 0)) : undefined) ?? value;
    }
    // `str` is a formula's text, `inlineStr` text in place, `d` an ISO date, `e` an error such as #DIV/0!.
    default:
      return value;
  }
}
