import { open } from 'node:fs/promises';
import type { DocumentKind, ExtractedDocument } from '../extract/document.ts';

const mediaTypes: Readonly<Record<DocumentKind, string>> = {
  html: 'text/html',
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  epub: 'application/epub+zip',
  markdown: 'text/markdown',
  csv: 'text/csv',
  json: 'application/json',
  text: 'text/plain',
};

export const mediaTypeOf = (kind: DocumentKind): string => mediaTypes[kind];

/** Text that is made into JSON at once; the next piece waits until others had their turn. */
const pieceChars = 262_144;

/**
 * Writes what `GET /v1/files/{id}/content` answers: Moonshot's JSON object, which its programs paste as it is into a
 * system message. Piece by piece, because a book's text would hold up the event loop.
 */
export async function writeContent(
  path: string,
  document: ExtractedDocument,
  filename: string,
): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.write('{"content":"');
    for (let at = 0; at < document.text.length; at += pieceChars) {
      // A pair of surrogates that is cut here is escaped in halves, and read as one character.
      await file.write(JSON.stringify(document.text.slice(at, at + pieceChars)).slice(1, -1));
    }
    const { title, kind } = document;
    const rest = JSON.stringify({ file_type: mediaTypeOf(kind), filename, title, type: 'file' });
    await file.write(`",${rest.slice(1)}`);
  } finally {
    await file.close();
  }
}
