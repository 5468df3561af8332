import type { ExtractLimits } from '../document.ts';
import type { FormatText } from '../extract-document.ts';
import type { Archive } from '../open-archive.ts';
import { createTextBuilder, type TextBuilder } from '../text-builder.ts';
import { readXmlElement, walkXml } from '../walk-xml.ts';
import { readRelations } from './read-relations.ts';

const presentationPart = 'ppt/presentation.xml';

/** The text of a presentation's slides, in their order, each with its speaker notes (ECMA-376, part 1, section 19). */
export function extractPptx(archive: Archive, { textCharsMax }: ExtractLimits): FormatText {
  const builder = createTextBuilder(textCharsMax);
  const relations = readRelations(archive, presentationPart);
  let number = 0;
  walkXml(archive.readText(presentationPart) ?? '', {
    onOpen(name, attributes) {
      const part = name === 'sldId' ? relations.get(attributes['r:id'] ?? '') : undefined;
      if (part === undefined) return;
      number += 1;
      builder.endParagraph();
      builder.add(`## Slide ${number}`);
      readSlide(archive, part, builder);
    },
  });
  return {
    title: readXmlElement(archive.readText('docProps/core.xml'), 'title'),
    // Headings alone are no text.
    text: builder.finish().replace(/^(## Slide \d+\s*)+$/, ''),
  };
}

function readSlide(archive: Archive, part: string, builder: TextBuilder): void {
  builder.endParagraph();
  readParagraphs(archive.readText(part), builder);
  const notes = [...readRelations(archive, part).values()].find((name) => name.includes('notesSlides/'));
  if (notes === undefined) return;
  builder.endParagraph();
  readParagraphs(archive.readText(notes), builder);
}

function readParagraphs(xml: string | undefined, builder: TextBuilder): void {
  let paragraph = '';
  let isText = false;
  /** Slide numbers and dates: the same on every slide. */
  let isField = false;
  walkXml(xml ?? '', {
    onOpen(name) {
      if (name === 't') isText = !isField;
      else if (name === 'fld') isField = true;
      else if (name === 'br') paragraph += '\n';
    },
    onText(text) {
      if (isText) paragraph += text;
    },
    onClose(name) {
      if (name === 't') isText = false;
      else if (name === 'fld') isField = false;
      else if (name === 'p') {
        builder.add(paragraph.trim());
        builder.endLine();
        paragraph = '';
      }
    },
  });
}
