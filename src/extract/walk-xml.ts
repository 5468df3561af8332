import { Parser } from 'htmlparser2';
import { ExtractError } from './document.ts';

export interface XmlHandler {
  /** Names without their namespace's prefix: `w:p` → `p`. */
  onOpen?(name: string, attributes: Readonly<Record<string, string>>): void;
  onText?(text: string): void;
  onClose?(name: string): void;
}

/** Real documents nest some dozen levels. */
const depthMax = 2_000;

/**
 * Walks over XML as a stream: no tree is built, and no entity but XML's own five is expanded, because declarations are not
 * read. Forgiving, as Office programs are. Throws ExtractError `damaged` for absurd nesting, and what a handler throws.
 */
export function walkXml(xml: string, { onOpen, onText, onClose }: XmlHandler): void {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        depth += 1;
        if (depth > depthMax) throw new ExtractError('damaged', 'The file is nested too deeply.');
        onOpen?.(localName(name), attributes);
      },
      ontext: (text) => onText?.(text),
      onclosetag(name) {
        depth -= 1;
        onClose?.(localName(name));
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.write(xml);
  parser.end();
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/** The text of the first element of this name; empty when there is none. */
export function readXmlElement(xml: string | undefined, wanted: string): string {
  let text = '';
  let state: 'before' | 'inside' | 'after' = 'before';
  if (xml === undefined) return text;
  walkXml(xml, {
    onOpen: (name) => {
      if (state === 'before' && name === wanted) state = 'inside';
    },
    onText: (part) => {
      if (state === 'inside') text += part;
    },
    onClose: (name) => {
      if (state === 'inside' && name === wanted) state = 'after';
    },
  });
  return text.trim();
}
