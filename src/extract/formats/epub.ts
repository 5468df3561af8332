import path from 'node:path';
import { ExtractError, type ExtractLimits } from '../document.ts';
import type { FormatText } from '../extract-document.ts';
import type { Archive } from '../open-archive.ts';
import { createTextBuilder } from '../text-builder.ts';
import { readXmlElement, walkXml } from '../walk-xml.ts';
import { renderHtmlText } from './render-html-text.ts';

/** The text of a book, chapter by chapter as its spine orders them (EPUB 3.3, section 5.7). Throws ExtractError. */
export function extractEpub(archive: Archive, { textCharsMax }: ExtractLimits): FormatText {
  const packagePath = findPackage(archive);
  const xml = packagePath === undefined ? undefined : archive.readText(packagePath);
  if (packagePath === undefined || xml === undefined) {
    throw new ExtractError('damaged', 'The book is damaged: it does not say where its content is.');
  }
  if (archive.has('META-INF/rights.xml')) throw new ExtractError('encrypted', 'The book is copy-protected.');
  const builder = createTextBuilder(textCharsMax);
  for (const href of readSpine(xml)) {
    const name = path.posix.join(path.posix.dirname(packagePath), decodePath(href));
    const chapter = archive.readText(name);
    if (chapter === undefined) continue;
    builder.endParagraph();
    builder.add(renderHtmlText(chapter, textCharsMax).text);
  }
  const language = readXmlElement(xml, 'language');
  return {
    title: readXmlElement(xml, 'title'),
    text: builder.finish(),
    ...(language !== '' && { language }),
  };
}

function findPackage(archive: Archive): string | undefined {
  let found: string | undefined;
  walkXml(archive.readText('META-INF/container.xml') ?? '', {
    onOpen(name, attributes) {
      if (name === 'rootfile') found ??= attributes['full-path'];
    },
  });
  return found;
}

function readSpine(xml: string): readonly string[] {
  const manifest = new Map<string, string>();
  const spine: string[] = [];
  walkXml(xml, {
    onOpen(name, { id, href, idref }) {
      if (name === 'item' && id !== undefined && href !== undefined) manifest.set(id, href);
      else if (name === 'itemref' && idref !== undefined) spine.push(idref);
    },
  });
  return spine.flatMap((id) => manifest.get(id) ?? []);
}

function decodePath(href: string): string {
  try {
    return decodeURIComponent(href.replace(/#.*$/, ''));
  } catch {
    // A lone percent sign: the name is meant as it is.
    return href;
  }
}
