import { readFile } from 'node:fs/promises';
import { getDocumentProxy } from 'unpdf';
import { ExtractError, type ExtractLimits } from '../document.ts';
import type { FormatText } from '../extract-document.ts';
import { createTextBuilder, type TextBuilder } from '../text-builder.ts';

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>;
type PageText = Awaited<ReturnType<Awaited<ReturnType<PdfDocument['getPage']>>['getTextContent']>>;

/** Adobe's tables from character codes to Unicode: without them many Chinese, Japanese and Korean files have no text. */
const cMapUrl = new URL('../../../assets/pdf-cmaps/', import.meta.url);

/** Reads those tables from our own folder; the library's reader takes no `file:` address. */
class CMapReader {
  async fetch({ filename }: { readonly kind: string; readonly filename: string }): Promise<Uint8Array> {
    if (!/^[\w-]+\.bcmap$/.test(filename)) throw new Error(`${filename} is no table of characters`);
    return new Uint8Array(await readFile(new URL(filename, cMapUrl)));
  }
}

/** The largest books have some thousand. */
const pagesMax = 20_000;
/** A gap between lines of more than this many line heights is one between paragraphs. */
const paragraphGap = 1.7;

/** The text layer of a PDF file, page by page. Scanned pages have none. Throws ExtractError. */
export async function extractPdf(bytes: Uint8Array, { textCharsMax }: ExtractLimits): Promise<FormatText> {
  const pdf = await open(bytes);
  try {
    if (pdf.numPages > pagesMax) {
      throw new ExtractError('too_large', `The file has more than ${pagesMax} pages.`);
    }
    const builder = createTextBuilder(textCharsMax);
    for (let number = 1; number <= pdf.numPages; number += 1) {
      const page = await pdf.getPage(number);
      addPage(await page.getTextContent(), builder);
      page.cleanup();
    }
    return { text: builder.finish(), ...(await readMetadata(pdf)) };
  } finally {
    await pdf.loadingTask.destroy();
  }
}

async function open(bytes: Uint8Array): Promise<PdfDocument> {
  try {
    // The reader refuses Node's Buffer, which `readFile` returns.
    return await getDocumentProxy(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), {
      cMapUrl: cMapUrl.href,
      cMapPacked: true,
      BinaryDataFactory: CMapReader,
      // Nothing is drawn, so no font needs to be built.
      disableFontFace: true,
      useSystemFonts: false,
      verbosity: 0,
    });
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') {
      throw new ExtractError('encrypted', 'The PDF file is protected by a password.', { cause: error });
    }
    throw new ExtractError('damaged', 'The PDF file is damaged.', { cause: error });
  }
}

/** Lines as they stand on the page, blank lines where the gap is large. */
function addPage({ items }: PageText, builder: TextBuilder): void {
  let lastBaseline: number | undefined;
  let lineHeight = 0;
  let isLineStart = true;
  for (const item of items) {
    if (!('str' in item)) continue;
    const baseline = Number(item.transform[5]);
    if (isLineStart && item.str.trim() !== '') {
      if (lastBaseline !== undefined && Math.abs(lastBaseline - baseline) > lineHeight * paragraphGap) {
        builder.endParagraph();
      }
      lastBaseline = baseline;
      lineHeight = item.height;
      isLineStart = false;
    }
    builder.add(item.str);
    if (item.hasEOL) {
      builder.endLine();
      isLineStart = true;
    }
  }
  builder.endParagraph();
}

async function readMetadata(pdf: PdfDocument): Promise<Pick<FormatText, 'title' | 'publishedAt'>> {
  const { info } = await pdf.getMetadata();
  const { Title: title, CreationDate: date } = info as Record<string, unknown>; // The file's own dictionary.
  const publishedAt = typeof date === 'string' ? decodePdfDate(date) : undefined;
  return {
    title: typeof title === 'string' ? title.trim() : '',
    ...(publishedAt !== undefined && { publishedAt }),
  };
}

/** `D:20240305120000+08'00'` → `2024-03-05`. The day is all that anybody asks for. */
function decodePdfDate(text: string): string | undefined {
  const [, year, month, day] = /^D:(\d{4})(\d\d)(\d\d)/.exec(text) ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}`;
}
