/** PDF files for tests, small and real: a header, objects, a table of where they are, a trailer. */
import { deflateSync } from 'node:zlib';

interface PdfFont {
  /** The font's dictionary, and what it refers to. */
  readonly objects: (first: number) => readonly string[];
}

/** Helvetica, which every reader has; text is Latin-1. */
export const latinFont: PdfFont = {
  objects: () => ['<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'],
};

/** A Chinese font that is not in the file, with codes of one of Adobe's predefined tables. */
export const chineseFont = (encoding: 'GBK-EUC-H' | 'UniGB-UCS2-H'): PdfFont => ({
  objects: (first) => [
    `<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /${encoding} /DescendantFonts [${first + 1} 0 R] >>`,
    `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor ${first + 2} 0 R /DW 1000 >>`,
    '<< /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>',
  ],
});

export interface PdfOptions {
  readonly font?: PdfFont;
  readonly title?: string;
  /** Stands between `BT` and `ET` of each page; default: shows `lines`. */
  readonly content?: Buffer;
}

/** One page per list; each text is a line, as hexadecimal codes in angle brackets or as `(text)`. */
export function makePdf(
  pages: readonly (readonly string[])[],
  options: PdfOptions = {},
): Buffer<ArrayBuffer> {
  const { font = latinFont, title = '' } = options;
  const firstFont = 4;
  const fontObjects = font.objects(firstFont);
  const firstPage = firstFont + fontObjects.length;
  const pageIds = pages.map((_, index) => firstPage + index * 2);
  const objects: (string | Buffer)[] = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${pageIds.map((id) => `${id} 0 R`).join(' ')}] /Count ${pages.length} >>`,
    `<< /Title (${title}) /CreationDate (D:20240305120000+08'00') >>`,
    ...fontObjects,
    ...pages.flatMap((lines, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 ${firstFont} 0 R >> >> /Contents ${(pageIds[index] ?? 0) + 1} 0 R >>`,
      makeStream(options.content ?? showLines(lines)),
    ]),
  ];
  return assemble(objects);
}

const showLines = (lines: readonly string[]): Buffer =>
  Buffer.from(
    `BT /F1 12 Tf 72 720 Td 14 TL ${lines.map((line) => (line === '' ? 'T* T*' : `${line} Tj T*`)).join(' ')} ET`,
    'latin1',
  );

function makeStream(content: Buffer): Buffer {
  const packed = deflateSync(content);
  return Buffer.concat([
    Buffer.from(`<< /Length ${packed.length} /Filter /FlateDecode >>\nstream\n`),
    packed,
    Buffer.from('\nendstream'),
  ]);
}

function assemble(objects: readonly (string | Buffer)[]): Buffer<ArrayBuffer> {
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n')];
  const offsets: number[] = [];
  let size = parts[0]?.length ?? 0;
  const push = (part: Buffer): void => {
    parts.push(part);
    size += part.length;
  };
  for (const [index, object] of objects.entries()) {
    offsets.push(size);
    push(
      Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), Buffer.from(object), Buffer.from('\nendobj\n')]),
    );
  }
  const start = size;
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  push(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 3 0 R >>\nstartxref\n${start}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

/** UTF-16BE codes, as `UniGB-UCS2-H` takes them. */
export const ucs2 = (text: string): string => `<${Buffer.from(text, 'utf16le').swap16().toString('hex')}>`;
