/** Bytes of any format that is read → text. Runs in a worker thread: it may be killed at any point. */
import { decodeText } from './decode-text.ts';
import { detectArchiveKind, detectForm, detectTextKind, unsupported } from './detect-kind.ts';
import { type DocumentSource, ExtractError, type ExtractedDocument, type ExtractLimits } from './document.ts';
import { extractDocx } from './formats/docx.ts';
import { extractEpub } from './formats/epub.ts';
import { extractPptx } from './formats/pptx.ts';
import { extractXlsx } from './formats/xlsx.ts';
import { type Archive, openArchive } from './open-archive.ts';

// Loaded when they are needed: a thread that reads Markdown starts in a fraction of the time.
const loadPdfReader = () => import('./formats/pdf.ts');
const loadHtmlReader = () => import('./formats/html.ts');

/** What a format's reader returns. */
export interface FormatText {
  readonly title: string;
  readonly text: string;
  readonly language?: string;
  readonly publishedAt?: string;
  readonly links?: readonly string[];
}

export type SourceLabels = Omit<DocumentSource, 'content'>;

/** Throws ExtractError; what else a reader throws means that the file is not what it pretends to be. */
export async function extractDocument(
  bytes: Uint8Array,
  labels: SourceLabels,
  limits: ExtractLimits,
): Promise<ExtractedDocument> {
  const { kind, ...read } = await readAny(bytes, labels, limits);
  const text = cleanText(read.text);
  if (text.trim() === '') throw new ExtractError('no_text', 'There is no text in this file.');
  return { kind, ...read, title: cleanText(read.title), text, links: read.links ?? [] };
}

/** PDF writes NUL for characters that its font lacks; databases and prompts take neither those nor halves of characters. */
const cleanText = (text: string): string => text.replaceAll('\u0000', '').toWellFormed();

type AnyText = FormatText & Pick<ExtractedDocument, 'kind'>;

async function readAny(bytes: Uint8Array, labels: SourceLabels, limits: ExtractLimits): Promise<AnyText> {
  const form = detectForm(bytes);
  switch (form) {
    case 'pdf':
      return { kind: 'pdf', ...(await (await loadPdfReader()).extractPdf(bytes, limits)) };
    case 'archive': {
      const archive = openArchive(bytes);
      const kind = detectArchiveKind(archive);
      return { kind, ...archiveReaders[kind](archive, limits) };
    }
    case 'text':
      return await readText(bytes, labels, limits);
    default:
      return form satisfies never;
  }
}

const archiveReaders: Readonly<
  Record<'docx' | 'xlsx' | 'pptx' | 'epub', (archive: Archive, limits: ExtractLimits) => FormatText>
> = { docx: extractDocx, xlsx: extractXlsx, pptx: extractPptx, epub: extractEpub };

async function readText(bytes: Uint8Array, labels: SourceLabels, limits: ExtractLimits): Promise<AnyText> {
  const { name = '', mediaType = '' } = labels;
  const isMarkup = /\bx?html\b/.test(mediaType) || /\.x?html?$/i.test(name) || looksLikeMarkup(bytes);
  const { text } = decodeText(bytes, mediaType, isMarkup);
  if (isBinary(text)) throw unsupported('This file is no text, and no format that is read.');
  const kind = detectTextKind(text, name, mediaType);
  if (kind === 'html') {
    const { extractHtml } = await loadHtmlReader();
    return { kind, ...(await extractHtml(text, labels.url, limits)) };
  }
  if (text.length > limits.textCharsMax) {
    throw new ExtractError(
      'too_large',
      `The file holds more than ${limits.textCharsMax} characters of text.`,
    );
  }
  return { kind, title: kind === 'markdown' ? titleOfMarkdown(text) : '', text };
}

const looksLikeMarkup = (bytes: Uint8Array): boolean =>
  /<(!doctype html|html|head|meta)[\s>]/i.test(new TextDecoder('latin1').decode(bytes.subarray(0, 1_024)));

/** Text has next to no control characters and no characters that could not be decoded. */
function isBinary(text: string): boolean {
  const sample = text.slice(0, 65_536);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const strange = sample.match(/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/g)?.length ?? 0;
  return sample.includes('\u0000') || strange > sample.length / 20;
}

const titleOfMarkdown = (text: string): string => /^#\s+(.+?)\s*#*$/m.exec(text.slice(0, 10_000))?.[1] ?? '';
