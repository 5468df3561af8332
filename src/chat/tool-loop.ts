/**
 * The builtin `$web_search` around one turn: expands what earlier turns found, decides whether the model may search,
 * and makes its searches. A conversation that has nothing to do with searches passes straight to `run-chat.ts`.
 */
import type { Engine, TurnContext } from '../engines/engine.ts';
import { ApiError } from '../errors.ts';
import type { OutputChecker } from '../grammar/output-checker.ts';
import {
  type AskedQuestion,
  cleanQuery,
  queryFromQuestion,
  refineQuery,
} from '../web-search/refine-query.ts';
import type { StoredSearch } from '../web-search/stored-search.ts';
import { createTurnstile } from '../web-search/turnstile.ts';
import type { WebSearch } from '../web-search/web-search.ts';
import { concernsSearch, type ExpandedSearch, expandSearches } from './expand-searches.ts';
import {
  canModelDecide,
  planSearch,
  type SearchPlan,
  type SearchPolicy,
  smallModelTokensMax,
} from './plan-search.ts';
import { refitSearches } from './refit-searches.ts';
import { type PreparedChat, prepareChat } from './run-chat.ts';
import { runSearchTurn, type SearchTurn } from './run-search-turn.ts';
import { nameSearch, shapeSearchRequest } from './shape-search-request.ts';
import type { ChatMessage, ChatRequest } from './types.ts';

export interface ToolLoop {
  /** As `prepareChat`, and throws `search_not_found` besides. */
  prepare(
    request: ChatRequest,
    engine: Engine,
    context: TurnContext,
    checker: OutputChecker,
  ): Promise<PreparedChat>;
  /** The request that `prepare` gives the engine. */
  shape(request: ChatRequest, engine: Engine, context: TurnContext): Promise<ChatRequest>;
}

export interface ToolLoopOptions {
  readonly webSearch: WebSearch;
  readonly policy: SearchPolicy;
}

/** Kept for the answer when the request does not say how long it may be. */
const outputReserveDefault = 1_024;
/** What the call itself and the marks around its result take. */
const callTokens = 96;
/** Sources of fewer tokens say nothing. */
const searchTokensMin = 150;
/** Characters of a message that passages are chosen by, and that are kept with a search. */
const questionLengthMax = 2_000;
const queryLengthMax = { small: 120, other: 300 } as const;

export function createToolLoop({ webSearch, policy }: ToolLoopOptions): ToolLoop {
  const turnstile = createTurnstile();
  const look = async (request: ChatRequest, engine: Engine, context: TurnContext): Promise<Turn> => {
    const searches = await expandSearches(request.messages, context.accountId, webSearch);
    // What is planned depends on the size of the weights and of their window.
    await engine.whenLoaded?.(context.signal);
    const plan = planSearch(request, engine.backing(), policy);
    return { request, engine, context, searches, plan };
  };
  return {
    async prepare(request, engine, context, checker) {
      if (!concernsSearch(request)) return prepareChat(request, engine, context, checker);
      const leave = await turnstile.enter(0, context.signal);
      leave();
      const turn = await look(request, engine, context);
      return prepareSearchTurn(turn, { webSearch, policy, checker });
    },
    async shape(request, engine, context) {
      if (!concernsSearch(request)) return request;
      return shapeTurn(await look(request, engine, context), policy);
    },
  };
}

interface Turn {
  readonly request: ChatRequest;
  readonly engine: Engine;
  readonly context: TurnContext;
  readonly searches: readonly ExpandedSearch[];
  readonly plan: SearchPlan;
}

interface TurnSurroundings extends ToolLoopOptions {
  readonly checker: OutputChecker;
}

function shapeTurn(turn: Turn, policy: SearchPolicy): ChatRequest {
  return shapeSearchRequest(turn.request, {
    searches: turn.searches,
    plan: turn.plan,
    allowsToolsAfterSearch: policy.allowsToolsAfterSearch,
    queryLengthMax: canModelDecide(turn.engine.backing()) ? queryLengthMax.other : queryLengthMax.small,
  });
}

async function prepareSearchTurn(asked: Turn, surroundings: TurnSurroundings): Promise<PreparedChat> {
  const { policy, checker } = surroundings;
  const prepare = (turn: Turn): Promise<PreparedChat> =>
    prepareChat(shapeTurn(turn, policy), turn.engine, turn.context, checker);
  const { turn, chat } = await prepareFitting(asked, prepare);
  const room = findRoom(turn, chat.promptTokens, policy);
  if (turn.plan.type === 'none' || room >= searchTokensMin) {
    return searchWhileRunning(turn, chat, { ...surroundings, room });
  }
  chat.discard();
  if (turn.plan.isForced) throw noRoomError(turn.engine);
  const withoutSearch: Turn = { ...turn, plan: { type: 'none' } };
  return searchWhileRunning(withoutSearch, await prepare(withoutSearch), { ...surroundings, room });
}

/** Sources that were found for another window, or beside a shorter conversation, are cut to what fits here. */
async function prepareFitting(
  turn: Turn,
  prepare: (turn: Turn) => Promise<PreparedChat>,
): Promise<{ readonly turn: Turn; readonly chat: PreparedChat }> {
  try {
    return { turn, chat: await prepare(turn) };
  } catch (thrown) {
    const isTooLong = thrown instanceof ApiError && thrown.code === 'context_length_exceeded';
    if (!isTooLong || turn.searches.length === 0) throw thrown;
    const searches = await refitSearches(turn.searches, {
      countTokens: (text) => turn.engine.countText(text, turn.context.signal),
      measure: async (bare) => {
        const chat = await prepare({ ...turn, searches: bare });
        chat.discard();
        return findLeft(turn, chat.promptTokens);
      },
    });
    const fitted = { ...turn, searches };
    return { turn: fitted, chat: await prepare(fitted) };
  }
}

/** Tokens of the window that neither this prompt nor the answer needs. */
function findLeft({ request, engine }: Turn, promptTokens: number): number {
  const left = engine.backing().contextTokens - promptTokens;
  const reserve = Math.max(request.outputTokensMax ?? 0, outputReserveDefault);
  // In tiny windows, or for a caller who asks for all of it, half goes to either.
  return left - Math.min(reserve, Math.floor(left / 2));
}

/** Tokens for the sources of the next search: half of what is left, so that another one finds room too. */
function findRoom(turn: Turn, promptTokens: number, policy: SearchPolicy): number {
  const left = findLeft(turn, promptTokens) - callTokens;
  const isDecider = canModelDecide(turn.engine.backing());
  const tokensMax = isDecider ? policy.tokensMax : Math.min(policy.tokensMax, smallModelTokensMax);
  return Math.min(tokensMax, Math.floor(left / 2));
}

const noRoomError = (engine: Engine): ApiError =>
  new ApiError('context_length_exceeded', {
    message: `Invalid request: the model's window of ${engine.backing().contextTokens} tokens has no room left for what a search would find. Shorten the conversation.`,
    param: 'messages',
  });

function searchWhileRunning(
  turn: Turn,
  chat: PreparedChat,
  surroundings: TurnSurroundings & { readonly room: number },
): PreparedChat {
  const { request, plan } = turn;
  const delivered = new Set<string>();
  const searchTurn: SearchTurn = {
    functionName: plan.type === 'offered' ? nameSearch(request.tools) : undefined,
    callerTools: new Set(request.tools.flatMap(({ type, name }) => (type === 'function' ? [name] : []))),
    searchesMax: plan.type === 'offered' ? plan.searchesMax : 0,
    sources: [...new Set(turn.searches.map(({ search }) => search))].flatMap(numberSources),
    search: createSearcher(turn, surroundings),
    onDelivered: ({ searchId }) => delivered.add(searchId),
    deliveredCount: () => delivered.size,
  };
  const cacheHits = chat.feesMax?.cacheHits ?? 0;
  const webSearches = searchTurn.searchesMax * request.choiceCount;
  return {
    ...chat,
    ...(webSearches > 0 && { feesMax: { webSearches, cacheHits } }),
    run: (outputTokensMax) => runSearchTurn(searchTurn, chat.run(outputTokensMax)),
    usageSoFar() {
      const usage = chat.usageSoFar();
      const fees = { webSearches: delivered.size, cacheHits: usage.fees?.cacheHits ?? 0 };
      return delivered.size === 0 ? usage : { ...usage, fees };
    },
  };
}

const numberSources = ({ sources, firstNumber }: StoredSearch) =>
  sources.map(({ title, url, excerpts }, index) => ({
    number: firstNumber + index,
    title,
    url,
    excerpts: excerpts.map(({ text }) => text),
  }));

/** Searches of one turn. Choices that ask the same share a search. */
function createSearcher(
  { request, engine, context, searches }: Turn,
  { webSearch, room }: TurnSurroundings & { readonly room: number },
): SearchTurn['search'] {
  const question = findQuestion(request.messages);
  const isDecider = canModelDecide(engine.backing());
  const made = new Map<string, Promise<StoredSearch>>();
  let numberNext = Math.max(1, ...searches.map(({ search }) => search.firstNumber + search.sources.length));
  return (queries) => {
    const tokensMax = Math.floor(room / Math.max(queries.length, 1));
    return Promise.all(
      queries.map((asked) => {
        const query = isDecider
          ? cleanQuery(asked) || queryFromQuestion(question)
          : refineQuery(asked, question);
        let search = made.get(query);
        if (search === undefined) {
          search = webSearch.search(
            {
              accountId: context.accountId,
              inferenceId: context.inferenceId,
              query,
              question: question.text,
              style: isDecider ? 'cited' : 'brief',
              firstNumber: numberNext,
              tokensMax,
              countTokens: (text) => engine.countText(text, context.signal),
            },
            context.signal,
          );
          numberNext += webSearch.resultsMax;
          made.set(query, search);
        }
        return search;
      }),
    );
  };
}

function findQuestion(messages: readonly ChatMessage[]): AskedQuestion {
  const texts = messages.flatMap((message) => (message.role === 'user' ? [message.text] : []));
  const [text = '', before] = texts.slice(-2).map(keepEnds).reverse();
  return { text, before };
}

/** Of a long message, such as a document with a question about it, the question is at the one end or the other. */
function keepEnds(text: string): string {
  if (text.length <= questionLengthMax) return text;
  const half = questionLengthMax / 2;
  return `${text.slice(0, half)} ${text.slice(-half)}`.toWellFormed();
}
