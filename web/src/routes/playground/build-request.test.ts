import { describe, expect, it } from 'vitest';
import { buildRequest } from './build-request.ts';
import type { AnswerNode, UserNode } from './conversation.ts';
import { createAnswer } from './create-answer.ts';
import { createSettings } from './settings.ts';

const settings = createSettings('moonshot/kimi-k2-turbo-preview');

const question = (id: string, text: string, parentId?: string): UserNode => ({
  role: 'user',
  id,
  parentId,
  text,
});

const answer = (change: Partial<AnswerNode>): AnswerNode => ({
  ...createAnswer({ id: 'answer', parentId: 'first', request: { model: 'm', messages: [] } }),
  state: 'complete',
  ...change,
});

const send = (middle: AnswerNode) =>
  buildRequest(settings, [question('first', 'one'), middle, question('second', 'two', middle.id)]).messages;

describe('the messages of a request', () => {
  it('leave out an answer that failed before its first token, so that the conversation goes on', () => {
    expect(send(answer({ state: 'failed' }))).toEqual([
      { role: 'user', content: 'one' },
      { role: 'user', content: 'two' },
    ]);
  });

  it('keep what came of an answer that was stopped', () => {
    expect(send(answer({ state: 'stopped', text: 'half of' }))[1]).toEqual({
      role: 'assistant',
      content: 'half of',
    });
  });

  it('keep an answer that only calls tools', () => {
    const call = { id: 'get_weather:0', name: 'get_weather', argumentsText: '{}' };
    expect(send(answer({ toolCalls: [call] }))[1]).toEqual({
      role: 'assistant',
      content: '',
      tool_calls: [
        { id: 'get_weather:0', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
      ],
    });
  });
});

describe('the choice of tools', () => {
  it('forces a call once: with its results the model is free to answer', () => {
    const searching = { ...settings, isWebSearchOn: true, toolChoice: 'required' as const };
    const asked = question('first', 'one');
    const call = { id: '$web_search:0', name: '$web_search', argumentsText: '{}' };
    const called = answer({ toolCalls: [call], finishReason: 'tool_calls' });
    const results = [{ callId: call.id, name: call.name, content: '{}' }];
    const returned = { role: 'tool', id: 'results', parentId: called.id, results } as const;
    expect(buildRequest(searching, [asked]).tool_choice).toBe('required');
    expect(buildRequest(searching, [asked, called, returned])).not.toHaveProperty('tool_choice');
    expect(buildRequest(searching, [asked, called, returned]).tools).toHaveLength(1);
  });
});
