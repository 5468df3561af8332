/** Puts what was found in the place of the search ids that a conversation carries. */
import { ApiError } from '../errors.ts';
import { readSearchId, unsealSearchId } from '../web-search/search-echo.ts';
import type { StoredSearch } from '../web-search/stored-search.ts';
import type { WebSearch } from '../web-search/web-search.ts';
import type { ChatMessage, ChatRequest } from './types.ts';

/** Under this name callers declare the search and get its calls. */
export const webSearchName = '$web_search';

export interface ExpandedSearch {
  /** Of its tool message. */
  readonly position: number;
  /** Its `firstNumber` is the one that holds in this conversation. One object for each id, however often it is named. */
  readonly search: StoredSearch;
}

/** Whether a conversation has anything to do with searches: the others need not pay for looking closer. */
export function concernsSearch(request: ChatRequest): boolean {
  return (
    request.tools.some((tool) => tool.type === 'builtin') ||
    request.messages.some((message) =>
      message.role === 'tool'
        ? unsealSearchId(message.text) !== undefined
        : message.role === 'assistant' && message.toolCalls.some(({ name }) => name === webSearchName),
    )
  );
}

/**
 * The searches of a conversation, in its order, numbered so that no two sources have one number. Throws ApiError
 * `search_not_found` for an id that this account cannot use, and `invalid_request` for an echo without one.
 */
export async function expandSearches(
  messages: readonly ChatMessage[],
  accountId: number,
  webSearch: Pick<WebSearch, 'find'>,
): Promise<readonly ExpandedSearch[]> {
  const expanded: ExpandedSearch[] = [];
  const byId = new Map<string, StoredSearch>();
  let numberNext = 1;
  for (const { position, searchId } of findSearchIds(messages)) {
    const known = byId.get(searchId);
    const found = known ?? (await webSearch.find(accountId, searchId));
    if (found === undefined) throw searchNotFound(searchId, position);
    const search = known ?? { ...found, firstNumber: Math.max(found.firstNumber, numberNext) };
    byId.set(searchId, search);
    numberNext = Math.max(numberNext, search.firstNumber + search.sources.length);
    expanded.push({ position, search });
  }
  return expanded;
}

function findSearchIds(messages: readonly ChatMessage[]): { position: number; searchId: string }[] {
  const searchCallIds = new Set<string>();
  return messages.flatMap((message, position) => {
    if (message.role === 'assistant' && message.toolCalls.length > 0) {
      // Ids of calls need only be unique within their turn.
      searchCallIds.clear();
      for (const { id, name } of message.toolCalls) if (name === webSearchName) searchCallIds.add(id);
    }
    if (message.role !== 'tool') return [];
    const sealed = unsealSearchId(message.text);
    if (sealed !== undefined) return [{ position, searchId: sealed }];
    if (!searchCallIds.has(message.toolCallId)) return [];
    const searchId = readSearchId(message.text);
    if (searchId === undefined) throw noSearchId(position);
    return [{ position, searchId }];
  });
}

const searchNotFound = (searchId: string, position: number): ApiError =>
  new ApiError('search_not_found', {
    message: `Invalid request: the search_id \`${searchId.slice(0, 64)}\` is unknown or has expired. Leave this call and its answer out of the conversation, and the model can search again.`,
    param: `messages[${position}].content`,
  });

const noSearchId = (position: number): ApiError =>
  new ApiError('invalid_request', {
    message: `Invalid request: the message at position ${position} answers a \`${webSearchName}\` call, so its content must be that call's arguments as they came (JSON with \`search_result.search_id\`).`,
    param: `messages[${position}].content`,
  });
