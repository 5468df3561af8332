/**
 * How a search travels through the caller's hands: as the arguments of a `$web_search` call (protocol sheet 2.1), or
 * as the sealed output of the formula `moonshot/web-search` (2.2). Both hold an id and nothing else.
 */
import { parseJson } from '../parse-json.ts';

/** The arguments of the call that tells the caller of a search. */
export function encodeSearchArguments(search: {
  readonly searchId: string;
  readonly tokens: number;
}): string {
  return JSON.stringify({
    search_result: { search_id: search.searchId },
    usage: { total_tokens: search.tokens },
  });
}

/** An echo is JSON text; clients that encode twice wrap it in a JSON string. */
const wrappingsMax = 3;

/** The id in an echo of those arguments, however it was serialised again. Undefined when there is none. */
export function readSearchId(echo: string): string | undefined {
  let value: unknown = echo;
  for (let wrapping = 0; typeof value === 'string' && wrapping < wrappingsMax; wrapping += 1) {
    value = parseJson(value);
  }
  const result = fieldOf(value, 'search_result') ?? value;
  const id = fieldOf(result, 'search_id');
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

const seal = { begin: '----MOONSHOT ENCRYPTED BEGIN----', end: '----MOONSHOT ENCRYPTED END----' } as const;
/** Nothing but the seal, perhaps as a JSON string: one that a page wrote into the result of another tool opens nothing. */
const sealed = new RegExp(`^\\s*"?${seal.begin}([A-Za-z0-9+/=]{1,200})${seal.end}"?\\s*$`);

/** What a caller puts into a tool message without being able to read it. */
export function sealSearchId(searchId: string): string {
  return seal.begin + Buffer.from(searchId, 'utf8').toString('base64') + seal.end;
}

/** The id in a text that is a sealed output; undefined for every other text. */
export function unsealSearchId(text: string): string | undefined {
  const content = sealed.exec(text)?.[1];
  return content === undefined ? undefined : Buffer.from(content, 'base64').toString('utf8');
}
