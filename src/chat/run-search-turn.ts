/**
 * A turn in which the model may search: its calls of the search function become searches that were made, and leave as
 * `$web_search` calls. Everything else passes through; streamed or not, this is the only path.
 */
import { ApiError } from '../errors.ts';
import { parseJson } from '../parse-json.ts';
import { citeSources, type NumberedSource } from '../web-search/cite-sources.ts';
import { encodeSearchArguments } from '../web-search/search-echo.ts';
import type { StoredSearch } from '../web-search/stored-search.ts';
import { webSearchName } from './expand-searches.ts';
import type { ChatEvent, ToolCall } from './types.ts';

export interface SearchTurn {
  /** What the search is called in the request that the engine was given; undefined when it was not offered. */
  readonly functionName: string | undefined;
  /** Every other function that may be called. */
  readonly callerTools: ReadonlySet<string>;
  /** Per choice. */
  readonly searchesMax: number;
  /** What the prompt holds. */
  readonly sources: readonly NumberedSource[];
  /** Makes the searches of one answer, in order; `queries` are as the model wrote them. */
  search(queries: readonly string[]): Promise<readonly StoredSearch[]>;
  /** Told of every search that found something, when its call leaves. */
  onDelivered(search: StoredSearch): void;
  /** How many of those there were. */
  deliveredCount(): number;
}

type ChoiceFinish = Extract<ChatEvent, { type: 'choice-finish' }>;

/** Throws what the events and the search throw, and ApiError `unexpected_output` for a call of an undeclared tool. */
export async function* runSearchTurn(
  turn: SearchTurn,
  events: AsyncIterable<ChatEvent>,
): AsyncGenerator<ChatEvent> {
  const choices = new Map<number, SearchingChoice>();
  for await (const event of events) {
    if (event.type === 'prefill-progress') {
      yield event;
    } else if (event.type === 'finish') {
      const webSearches = turn.deliveredCount();
      const cacheHits = event.usage.fees?.cacheHits ?? 0;
      yield webSearches === 0
        ? event
        : { type: 'finish', usage: { ...event.usage, fees: { webSearches, cacheHits } } };
    } else {
      let choice = choices.get(event.choice);
      if (choice === undefined) {
        choice = { text: '', calls: [], isHolding: false };
        choices.set(event.choice, choice);
      }
      yield* passOn(turn, choice, event);
    }
  }
}

interface SearchingChoice {
  text: string;
  /** All calls of the answer; those from the first search on have not left yet. */
  calls: { call: ToolCall; isHeld: boolean }[];
  isHolding: boolean;
}

async function* passOn(
  turn: SearchTurn,
  choice: SearchingChoice,
  event: Exclude<ChatEvent, { type: 'prefill-progress' | 'finish' }>,
): AsyncGenerator<ChatEvent> {
  switch (event.type) {
    case 'text-delta':
      if (turn.sources.length > 0) choice.text += event.text;
      yield event;
      return;
    case 'tool-call-start': {
      const isSearch = event.name === turn.functionName;
      if (!isSearch && !turn.callerTools.has(event.name)) throw undeclared(event.name);
      // Later calls wait too: clients read an answer's calls in order.
      choice.isHolding ||= isSearch;
      const call = { id: event.id, name: event.name, argumentsText: '' };
      choice.calls.push({ call, isHeld: choice.isHolding });
      if (!choice.isHolding) yield event;
      return;
    }
    case 'tool-call-delta': {
      const open = choice.calls[event.index];
      if (open === undefined || !open.isHeld) yield event;
      else {
        const argumentsText = open.call.argumentsText + event.argumentsText;
        choice.calls[event.index] = { ...open, call: { ...open.call, argumentsText } };
      }
      return;
    }
    case 'choice-finish':
      yield* finishChoice(turn, choice, event);
      return;
    default:
      event satisfies never;
  }
}

const undeclared = (name: string): ApiError =>
  new ApiError('unexpected_output', { internal: `\`${name}\` was called, which is not declared` });

async function* finishChoice(
  turn: SearchTurn,
  choice: SearchingChoice,
  finish: ChoiceFinish,
): AsyncGenerator<ChatEvent> {
  if (!choice.isHolding) {
    const annotations = citeSources(choice.text, turn.sources);
    yield annotations.length === 0 ? finish : { ...finish, annotations };
    return;
  }
  const held = choice.calls.filter(({ isHeld }) => isHeld).map(({ call }) => call);
  const kept = keepCalls(held, turn);
  const searches = await turn.search(kept.flatMap(({ query }) => (query === undefined ? [] : [query])));
  const results = searches.values();
  let index = choice.calls.length - held.length;
  for (const { call, query } of kept) {
    const search = query === undefined ? undefined : results.next().value;
    if (search !== undefined && search.sources.length > 0) turn.onDelivered(search);
    const name = query === undefined ? call.name : webSearchName;
    const argumentsText = search === undefined ? call.argumentsText : encodeSearchArguments(search);
    yield { type: 'tool-call-start', choice: finish.choice, index, id: call.id, name };
    if (argumentsText !== '') {
      yield { type: 'tool-call-delta', choice: finish.choice, index, argumentsText };
    }
    index += 1;
  }
  const isCutCallKept = kept.at(-1)?.call === held.at(-1) && kept.at(-1)?.query === undefined;
  // The budget ended in a search that was left out, so what did leave is whole.
  const isWhole = finish.reason === 'length' && kept.length > 0 && !isCutCallKept;
  yield isWhole ? { ...finish, reason: 'tool_calls' } : finish;
}

/** A call that leaves; with a query when it is a search. */
interface KeptCall {
  readonly call: ToolCall;
  readonly query: string | undefined;
}

/** Left out are searches without a whole query, repeated ones, and those beyond the limit. */
function keepCalls(calls: readonly ToolCall[], turn: SearchTurn): readonly KeptCall[] {
  const queries = new Set<string>();
  return calls.flatMap((call): KeptCall[] => {
    if (call.name !== turn.functionName) return [{ call, query: undefined }];
    const query = readQuery(call.argumentsText);
    if (query === undefined || queries.has(query) || queries.size >= turn.searchesMax) return [];
    queries.add(query);
    return [{ call, query }];
  });
}

/** Undefined when the budget ended within the arguments. */
function readQuery(argumentsText: string): string | undefined {
  const value = parseJson(argumentsText);
  const isRecord = typeof value === 'object' && value !== null && 'query' in value;
  return isRecord && typeof value.query === 'string' ? value.query : undefined;
}
