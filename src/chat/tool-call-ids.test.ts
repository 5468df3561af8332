import { describe, expect, it } from 'vitest';
import { nextToolCallCounter, toolCallId } from './tool-call-ids.ts';
import type { ChatMessage } from './types.ts';

const assistantCalls = (...ids: readonly (readonly [id: string, name: string])[]): ChatMessage => ({
  role: 'assistant',
  text: '',
  name: undefined,
  isPartial: false,
  toolCalls: ids.map(([id, name]) => ({ id, name, argumentsText: '{}' })),
});

describe('tool call ids', () => {
  it('count from 0 in a fresh conversation', () => {
    expect(nextToolCallCounter([{ role: 'user', text: 'hi', name: undefined }])).toBe(0);
    expect(toolCallId('search', 0, 0)).toBe('search:0');
  });

  it('go on after the calls of the whole conversation, several per answer included', () => {
    const history = [assistantCalls(['a:0', 'a'], ['b:1', 'b']), assistantCalls(['a:2', 'a'])];
    expect(nextToolCallCounter(history)).toBe(3);
    expect(toolCallId('b', 3, 1)).toBe('b:4');
  });

  it('go on after the highest counter when old messages were trimmed, in both forms', () => {
    expect(nextToolCallCounter([assistantCalls(['Shell:58', 'Shell'])])).toBe(59);
    expect(nextToolCallCounter([assistantCalls(['functions.Shell:58', 'Shell'])])).toBe(59);
  });

  it.each(['call_8f2', 'Shell', 'other:58', 'Shell:1700000000', 'Shell:5x', 'Shell:', ':58'])(
    'ignore the foreign id %s',
    (id) => {
      expect(nextToolCallCounter([assistantCalls([id, 'Shell'])])).toBe(1);
    },
  );
});
