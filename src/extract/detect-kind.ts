import type { DocumentKind } from './document.ts';
import { ExtractError } from './document.ts';
import type { Archive } from './open-archive.ts';

/** What the first bytes say: a format, an archive to look into, or nothing, which is text until it is proven not to be. */
export type ContentForm = 'pdf' | 'archive' | 'text';

const oldOfficeSignature = 'd0cf11e0a1b11ae1';
/** Name of the stream in which Office puts a file that it encrypts ([MS-OFFCRYPTO] 2.3.4.4). */
const encryptedPackage = Buffer.from('EncryptedPackage', 'utf16le');

/** Formats that are known and not read, so that the message can say more than "binary". */
const refusedForms: readonly (readonly [signature: string, message: string])[] = [
  [oldOfficeSignature, 'Old Office files (.doc, .xls, .ppt) are not read; save it as .docx, .xlsx or .pptx.'],
  ['89504e470d0a1a0a', 'Images are not read: there is no text in them without OCR.'],
  ['ffd8ff', 'Images are not read: there is no text in them without OCR.'],
  ['47494638', 'Images are not read: there is no text in them without OCR.'],
  ['1f8b', 'Compressed files are not read; unpack it first.'],
  ['377abcaf271c', 'Compressed files are not read; unpack it first.'],
  ['526172211a07', 'Compressed files are not read; unpack it first.'],
  ['7b5c727466', 'RTF files are not read; save it as .docx.'],
];

/** Says beside what is wrong what would do. */
export const unsupported = (message: string): ExtractError =>
  new ExtractError(
    'unsupported',
    `${message} Files that are read: PDF, DOCX, XLSX, PPTX, EPUB, HTML, Markdown, CSV, JSON and all text.`,
  );

/** PDF readers look for the header in the first kilobyte: mail programs put things before it. */
const pdfHeaderBytes = 1_024;

/** Throws ExtractError `unsupported`, `encrypted` or `no_text`. */
export function detectForm(bytes: Uint8Array): ContentForm {
  if (bytes.length === 0) throw new ExtractError('no_text', 'The file is empty.');
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = content.subarray(0, pdfHeaderBytes);
  const hex = head.toString('hex', 0, 16);
  if (hex.startsWith(oldOfficeSignature) && content.includes(encryptedPackage)) {
    throw new ExtractError('encrypted', 'The file is protected by a password.');
  }
  const refused = refusedForms.find(([signature]) => hex.startsWith(signature));
  if (refused !== undefined) throw unsupported(refused[1]);
  if (hex.startsWith('504b0304') || hex.startsWith('504b0506')) return 'archive';
  if (head.includes('%PDF-')) return 'pdf';
  return 'text';
}

/** Throws ExtractError `unsupported`. */
export function detectArchiveKind(archive: Archive): 'docx' | 'xlsx' | 'pptx' | 'epub' {
  if (archive.has('word/document.xml')) return 'docx';
  if (archive.has('xl/workbook.xml')) return 'xlsx';
  if (archive.has('ppt/presentation.xml')) return 'pptx';
  if (archive.has('META-INF/container.xml')) return 'epub';
  throw unsupported('This archive is no Word, Excel, PowerPoint or EPUB file.');
}

const kindsByExtension: Readonly<Record<string, DocumentKind>> = {
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  md: 'markdown',
  markdown: 'markdown',
  csv: 'csv',
  tsv: 'csv',
  json: 'json',
  jsonl: 'json',
};

const kindsByMediaType: Readonly<Record<string, DocumentKind>> = {
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'text/markdown': 'markdown',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/json': 'json',
};

/** Which kind of text it is. A name is what people see, so it counts before the media type that a program guessed. */
export function detectTextKind(text: string, name: string, mediaType: string): DocumentKind {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const type = mediaType.split(';')[0]?.trim().toLowerCase() ?? '';
  const known = kindsByExtension[extension] ?? (extension === '' ? kindsByMediaType[type] : undefined);
  if (known !== undefined) return known;
  // Each comment ends at its first end: a pattern that may end it later tries every way to divide a row of them.
  const isMarkup = /^\s*(?:<!--(?:(?!-->)[\s\S])*-->\s*)*(?:<!doctype html|<html)[\s>]/i.test(
    text.slice(0, 2_048),
  );
  if (isMarkup && (extension === '' || extension === 'txt')) return 'html';
  return kindsByMediaType[type] ?? 'text';
}
