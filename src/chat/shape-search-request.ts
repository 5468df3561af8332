/** The request as the engine sees it: the search is an ordinary function, and its results are texts. */
import { writeSources } from '../web-search/write-sources.ts';
import { type ExpandedSearch, webSearchName } from './expand-searches.ts';
import type { SearchPlan } from './plan-search.ts';
import type { ChatMessage, ChatRequest, ToolChoice, ToolDeclaration } from './types.ts';

export interface SearchShape {
  readonly searches: readonly ExpandedSearch[];
  readonly plan: SearchPlan;
  readonly allowsToolsAfterSearch: boolean;
  /** Longer queries are a small model that has lost its way. */
  readonly queryLengthMax: number;
}

export function shapeSearchRequest(request: ChatRequest, shape: SearchShape): ChatRequest {
  const functionName = nameSearch(request.tools);
  const { plan } = shape;
  const isForced = plan.type === 'offered' && plan.isForced;
  const keepsTools = shape.allowsToolsAfterSearch || !endsWithSearch(request.messages, shape.searches);
  const tools = request.tools.flatMap((tool): ToolDeclaration[] => {
    if (tool.type === 'function') return keepsTools ? [tool] : [];
    return plan.type === 'offered' ? [declareSearch(functionName, shape.queryLengthMax)] : [];
  });
  return {
    ...request,
    messages: expandMessages(request.messages, {
      searches: shape.searches,
      functionName,
      hasTools: tools.length > 0,
    }),
    tools,
    toolChoice: isForced ? { type: 'named', name: functionName } : chooseTools(request.toolChoice, tools),
    // A forced answer is a call and nothing else: there is no text for these to be about.
    ...(isForced && { outputFormat: { type: 'text' }, stop: [] }),
  };
}

/**
 * What the search is called before the engine, because models and upstream servers take no `$` in a name: `web_search`, or
 * another name when the caller has a function of that name.
 */
export function nameSearch(tools: readonly ToolDeclaration[]): string {
  const names = new Set(tools.map(({ name }) => name));
  let name = 'web_search';
  while (names.has(name)) name = `builtin_${name}`;
  return name;
}

function declareSearch(name: string, queryLengthMax: number): ToolDeclaration {
  return {
    type: 'function',
    name,
    description: 'Searches the web and returns texts of the pages that fit best.',
    isStrict: true,
    parameters: {
      type: 'object',
      properties: {
        query: {
          type: 'string',
          minLength: 1,
          maxLength: queryLengthMax,
          description:
            'The topic of the last question, in its language, understandable without the conversation.',
        },
      },
      required: ['query'],
      additionalProperties: false,
    },
  };
}

/** What was asked for, as far as tools for it are left. */
function chooseTools(choice: ToolChoice, tools: readonly ToolDeclaration[]): ToolChoice {
  if (tools.length === 0) return { type: 'none' };
  const isLeft = choice.type !== 'named' || tools.some(({ name }) => name === choice.name);
  return isLeft ? choice : { type: 'auto' };
}

/** Whether the next answer is the one that reads a search's results. */
function endsWithSearch(messages: readonly ChatMessage[], searches: readonly ExpandedSearch[]): boolean {
  const start = messages.findLastIndex(({ role }) => role !== 'tool') + 1;
  return searches.some(({ position }) => position >= start);
}

/** An id may be sent back many times; its sources are shown once, or a small body would make a prompt of gigabytes. */
const repeatedSources = 'The sources of this search stand above.';

interface Expansion {
  readonly searches: readonly ExpandedSearch[];
  readonly functionName: string;
  /** Whether the model is told of any tool in this turn. */
  readonly hasTools: boolean;
}

function expandMessages(
  messages: readonly ChatMessage[],
  { searches, functionName, hasTools }: Expansion,
): readonly ChatMessage[] {
  const byPosition = new Map(searches.map(({ position, search }) => [position, search]));
  const written = new Set<string>();
  const write = (search: ExpandedSearch['search']): string => {
    const isRepeated = written.has(search.searchId);
    written.add(search.searchId);
    return isRepeated ? repeatedSources : writeSources(search);
  };
  /** Tool messages that have become a user's. */
  const plain = new Set<number>();
  // The smallest models write the marks of a tool's result where an answer belongs, as soon as they have seen some.
  const isPlain = (search: ExpandedSearch['search'] | undefined): boolean =>
    !hasTools && search?.style === 'brief';
  return messages.flatMap((message, position): ChatMessage[] => {
    if (message.role === 'assistant' && message.toolCalls.length > 0) {
      const answers = findAnswers(messages, position);
      const toolCalls = message.toolCalls.flatMap((call) => {
        if (call.name !== webSearchName) return [call];
        const answer = answers.get(call.id) ?? -1;
        const search = byPosition.get(answer);
        if (isPlain(search)) plain.add(answer);
        const argumentsText = JSON.stringify({ query: search?.query ?? '' });
        return isPlain(search) ? [] : [{ ...call, name: functionName, argumentsText }];
      });
      return toolCalls.length === 0 && message.text === '' ? [] : [{ ...message, toolCalls }];
    }
    const search = byPosition.get(position);
    if (search === undefined || message.role !== 'tool') return [message];
    if (plain.has(position)) return [{ role: 'user', text: write(search), name: undefined }];
    const name = message.name === webSearchName ? functionName : message.name;
    return [{ ...message, name, text: write(search) }];
  });
}

/** Where the results of an assistant message's calls stand, by the ids of the calls. */
function findAnswers(messages: readonly ChatMessage[], assistant: number): ReadonlyMap<string, number> {
  const answers = new Map<string, number>();
  for (let position = assistant + 1; ; position += 1) {
    const answer = messages[position];
    if (answer?.role !== 'tool') return answers;
    if (!answers.has(answer.toolCallId)) answers.set(answer.toolCallId, position);
  }
}
