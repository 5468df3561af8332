import { describe, expect, it } from 'vitest';
import type { StoredSearch } from '../web-search/stored-search.ts';
import { chatRequest } from './__fixtures__/chat-request.ts';
import { shapeSearchRequest } from './shape-search-request.ts';
import type { ChatMessage, ToolDeclaration } from './types.ts';

const searchOf = (style: StoredSearch['style']): StoredSearch => ({
  searchId: 'a'.repeat(32),
  query: 'context caching',
  question: 'What is it?',
  isFailed: false,
  firstNumber: 1,
  searchedAt: 0,
  style,
  tokens: 10,
  sources: [
    {
      title: 'Caching',
      url: 'https://a.example/',
      excerpts: [{ position: 0, rank: 0, text: 'It is cheap.' }],
    },
  ],
});

const messages: ChatMessage[] = [
  { role: 'user', text: 'What is it?', name: undefined },
  {
    role: 'assistant',
    text: '',
    name: undefined,
    isPartial: false,
    toolCalls: [{ id: 'web_search:0', name: '$web_search', argumentsText: '{}' }],
  },
  { role: 'tool', text: '{}', name: '$web_search', toolCallId: 'web_search:0' },
];

const ownTool: ToolDeclaration = {
  type: 'function',
  name: 'take_note',
  description: undefined,
  parameters: { type: 'object' },
  isStrict: false,
};

const shape = (style: StoredSearch['style'], tools: readonly ToolDeclaration[] = []) =>
  shapeSearchRequest(chatRequest({ messages, tools }), {
    searches: [{ position: 2, search: searchOf(style) }],
    plan: { type: 'none' },
    allowsToolsAfterSearch: true,
    queryLengthMax: 100,
  });

describe('what a search found', () => {
  it('is the result of a call for models that decide', () => {
    expect(shape('cited').messages).toMatchObject([
      { role: 'user' },
      {
        role: 'assistant',
        toolCalls: [{ name: 'web_search', argumentsText: '{"query":"context caching"}' }],
      },
      { role: 'tool', name: 'web_search', text: expect.stringContaining('> It is cheap.') },
    ]);
  });

  it('is a user’s text for models that are too small, which imitate the marks of a tool', () => {
    expect(shape('brief').messages).toMatchObject([
      { role: 'user', text: 'What is it?' },
      { role: 'user', text: expect.stringContaining('> It is cheap.') },
    ]);
  });

  it('stays a result where the model is told of tools, so that calls and results go together', () => {
    expect(shape('brief', [ownTool]).messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
  });
});
