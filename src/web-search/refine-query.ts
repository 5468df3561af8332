/**
 * The query of a model that is too small to be trusted with one. It stands when it is about what the user asked;
 * else the user's own words are the query.
 */
import { listContentWords } from './list-words.ts';

const queryLengthMax = 200;
/** Share of the question's content words that a query has to take up, and of its own words that have to come from it. */
const coverageMin = 0.5;
const originMin = 0.6;

export interface AskedQuestion {
  /** The last user message. */
  readonly text: string;
  /** The one before it, which a short question may refer to. */
  readonly before: string | undefined;
}

/** The model's words when they fit the question, else the question's. */
export function refineQuery(query: string, question: AskedQuestion): string {
  const asked = listContentWords(question.text);
  const context = new Set([...asked, ...listContentWords(question.before ?? '')]);
  const words = listContentWords(query);
  const covered = asked.filter((word) => words.includes(word)).length;
  const ownCount = words.filter((word) => context.has(word)).length;
  const isAbout =
    words.length > 0 && covered >= asked.length * coverageMin && ownCount >= words.length * originMin;
  return isAbout ? cleanQuery(query) : queryFromQuestion(question);
}

/** Documented in docs/web-search.md: the question, behind the one before it when it says too little by itself. */
export function queryFromQuestion({ text, before }: AskedQuestion): string {
  const isStandalone = before === undefined || listContentWords(text).length >= 2;
  return cleanQuery(isStandalone ? text : `${before} ${text}`);
}

/** One line of at most 200 characters, cut between words. */
export function cleanQuery(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line.length <= queryLengthMax) return line;
  const cut = line.slice(0, queryLengthMax + 1);
  return cut.slice(0, cut.lastIndexOf(' ') > 0 ? cut.lastIndexOf(' ') : queryLengthMax).trim();
}
