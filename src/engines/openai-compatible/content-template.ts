/**
 * Reads text chunks without parsing them. The chunks of one answer differ in one JSON string, so once a chunk was
 * parsed, a later one that has the same text before and after that string can only have the same meaning. This is
 * most of what an event costs otherwise.
 */
import { asList, asRecord, type WireChoice, type WireChunk, type WireDelta } from './wire-chunk.ts';

export interface ContentTemplate {
  /** The content of a chunk that differs from the learnt one in its content alone; undefined: parse it. */
  match(json: string): string | undefined;
  /** Takes a chunk that was parsed and said nothing but a text. */
  learn(json: string): void;
}

/** Servers that change another field with every chunk (a counter, padding) would have us learn without end. */
const LESSONS_MAX = 4;
/** What stands in for the content while a template is tested; no server writes it. */
const PROBE = 'a probe of ours';

export function createContentTemplate(): ContentTemplate {
  let before = '';
  let after = '';
  let lessonCount = 0;

  return {
    match(json) {
      const end = json.length - after.length;
      if (before === '' || end < before.length) return undefined;
      // Slices are compared as memory; `startsWith` and `endsWith` go character by character, which is felt here.
      if (json.slice(0, before.length) !== before || json.slice(end) !== after) return undefined;
      const content = json.slice(before.length, end);
      // A quote would end the string, a backslash would need decoding: both are the parser's work.
      return content.includes('"') || content.includes('\\') ? undefined : content;
    },
    learn(json) {
      if (lessonCount >= LESSONS_MAX) return;
      lessonCount += 1;
      const key = /"content":\s*"/.exec(json);
      if (key === null) return;
      const start = key.index + key[0].length;
      const end = json.indexOf('"', start);
      if (end === -1 || json.slice(start, end).includes('\\')) return;
      const candidateBefore = json.slice(0, start);
      const candidateAfter = json.slice(end);
      if (readContent(`${candidateBefore}${PROBE}${candidateAfter}`) !== PROBE) return;
      before = candidateBefore;
      after = candidateAfter;
    },
  };
}

/** Proves that the string is the content of the only choice, and not of something else with that name. */
function readContent(json: string): unknown {
  const chunk = asRecord<WireChunk>(JSON.parse(json));
  const [choice, ...others] = asList(chunk?.choices);
  if (others.length > 0) return undefined;
  return asRecord<WireDelta>(asRecord<WireChoice>(choice)?.delta)?.content;
}
