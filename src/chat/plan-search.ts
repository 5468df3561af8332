/** When a model may search, when it must, and when it may no more (docs/web-search.md). */
import type { ModelBacking } from '../engines/engine.ts';
import { ApiError } from '../errors.ts';
import { webSearchName } from './expand-searches.ts';
import type { ChatMessage, ChatRequest } from './types.ts';

export interface SearchPolicy {
  /** Undefined: by the size of the model. */
  readonly policy: 'auto' | 'always' | undefined;
  /** Searches for one user message. */
  readonly searchesMax: number;
  /** Tokens of the sources of one search. */
  readonly tokensMax: number;
  /** Whether the caller's own tools may be called in the turn that reads the sources. */
  readonly allowsToolsAfterSearch: boolean;
}

export type SearchPlan =
  /** The model is not told that it could search. */
  | { readonly type: 'none' }
  | {
      readonly type: 'offered';
      /** Left for this question, at least 1. */
      readonly searchesMax: number;
      /** The answer is a search and nothing else. */
      readonly isForced: boolean;
    };

/** A quantised file of about two billion weights: smaller models call tools at random, or never. */
const deciderBytesMin = 1_500_000_000;

/** Of the sources of one search, for models too small to decide: they lose the thread in longer texts (record 0029). */
export const smallModelTokensMax = 300;

/** Whether the weights behind a name can decide by themselves. Those of upstream servers are taken to. */
export function canModelDecide({ sizeBytes }: ModelBacking): boolean {
  return sizeBytes === undefined || sizeBytes >= deciderBytesMin;
}

/** Throws ApiError `invalid_request` for a search that is demanded and not left. */
export function planSearch(request: ChatRequest, backing: ModelBacking, settings: SearchPolicy): SearchPlan {
  const { tools, toolChoice, messages } = request;
  const isDeclared = tools.some((tool) => tool.type === 'builtin');
  if (!isDeclared || toolChoice.type === 'none') return { type: 'none' };
  const isSole = tools.length === 1;
  const isDemanded =
    (toolChoice.type === 'named' && toolChoice.name === webSearchName) ||
    (toolChoice.type === 'required' && isSole);
  if (toolChoice.type === 'named' && !isDemanded) return { type: 'none' };
  const done = countSearches(messages);
  const searchesMax = settings.searchesMax - done;
  if (searchesMax <= 0) {
    if (isDemanded) throw tooManySearches(done);
    return { type: 'none' };
  }
  if (isDemanded) return { type: 'offered', searchesMax, isForced: true };
  if (toolChoice.type === 'required') return { type: 'offered', searchesMax, isForced: false };

  const isDecider = canModelDecide(backing);
  const policy = settings.policy ?? (isDecider || !isSole ? 'auto' : 'always');
  if (policy === 'always' && done === 0 && messages.at(-1)?.role === 'user') {
    return { type: 'offered', searchesMax, isForced: true };
  }
  // Where the rule searches for a model that cannot judge, the model does not search by itself.
  if (policy === 'always' && !isDecider) return { type: 'none' };
  return { type: 'offered', searchesMax, isForced: false };
}

/** Searches since the last user message. */
function countSearches(messages: readonly ChatMessage[]): number {
  const start = messages.findLastIndex(({ role }) => role === 'user') + 1;
  return messages
    .slice(start)
    .flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []))
    .filter(({ name }) => name === webSearchName).length;
}

const tooManySearches = (done: number): ApiError =>
  new ApiError('invalid_request', {
    message: `Invalid request: ${done} searches were made for this question, which is the limit. Send \`tool_choice: "auto"\` to get an answer from what was found.`,
    param: 'tool_choice',
  });
