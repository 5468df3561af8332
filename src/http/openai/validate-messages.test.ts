import { describe, expect, it } from 'vitest';
import { ApiError } from '../../errors.ts';
import { chatCompletionRequestSchema } from './schema.ts';
import { validateMessages } from './validate-messages.ts';

const user = { role: 'user', content: 'Hello' };
const call = (...ids: string[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })),
});
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'ok' });

function check(messages: unknown[]): ApiError | undefined {
  const parsed = chatCompletionRequestSchema.parse({ model: 'm', messages });
  try {
    validateMessages(parsed.messages);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ApiError) return thrown;
    throw thrown;
  }
}

describe('the rules between messages', () => {
  it.each([
    ['answers in any order', [user, call('a', 'b'), result('b'), result('a'), user]],
    ['the same ids again in a later turn', [user, call('a'), result('a'), user, call('a'), result('a')]],
    ['several turns of calls in a row', [user, call('a'), result('a'), call('b'), result('b')]],
    ['an empty result', [user, call('a'), { role: 'tool', tool_call_id: 'a', content: '' }]],
    ['text parts in a result', [user, call('a'), { ...result('a'), content: [{ type: 'text', text: '' }] }]],
    [
      'an assistant message without calls in an empty list',
      [user, { role: 'assistant', content: 'x', tool_calls: [] }],
    ],
    ['a partial answer at the end', [user, { role: 'assistant', content: 'x', partial: true }]],
    [
      'partial: false anywhere',
      [{ ...user, partial: false }, { role: 'assistant', content: 'x', partial: false }, user],
    ],
  ])('allow %s', (_name, messages) => {
    expect(check(messages)).toBeUndefined();
  });

  it('name the calls that were not answered, in Moonshot’s words', () => {
    const error = check([user, call('Shell:57', 'Shell:58'), result('Shell:57'), user]);
    expect(error?.param).toBe('messages[1].tool_calls');
    expect(error?.message).toBe(
      "Invalid request: an assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: Shell:58",
    );
  });

  it.each([
    [
      'calls at the very end',
      [user, call('a')],
      'messages[1].tool_calls',
      'did not have response messages: a',
    ],
    ['a result without a call', [user, result('a')], 'messages[1].tool_call_id', 'tool_call_id not found'],
    [
      'a result after other words',
      [user, call('a'), result('a'), user, result('a')],
      'messages[4].tool_call_id',
      'not found',
    ],
    ['a result of another id', [user, call('a'), result('b')], 'messages[2].tool_call_id', 'not found'],
    [
      'two results of one call',
      [user, call('a'), result('a'), result('a')],
      'messages[3].tool_call_id',
      'answered before',
    ],
    ['one id twice', [user, call('a', 'a')], 'messages[1].tool_calls[1].id', 'used twice'],
    [
      'an empty user message',
      [{ role: 'user', content: '' }],
      'messages[0].content',
      "the message at position 0 with role 'user' must not be empty",
    ],
    ['an empty list of parts', [{ role: 'user', content: [] }], 'messages[0].content', 'must not be empty'],
    [
      'an empty part',
      [{ role: 'user', content: [{ type: 'text', text: '' }] }],
      'messages[0].content[0]',
      'text content is empty',
    ],
    [
      'an empty system message',
      [{ role: 'system', content: '' }, user],
      'messages[0].content',
      'must not be empty',
    ],
    [
      'an assistant message without anything',
      [user, { role: 'assistant' }],
      'messages[1].content',
      "with role 'assistant' must not be empty",
    ],
    [
      'partial before the end',
      [{ role: 'assistant', content: 'x', partial: true }, user],
      'messages[0].partial',
      'only allowed on the last message',
    ],
    [
      'partial on a user message',
      [{ ...user, partial: true }],
      'messages[0].partial',
      'only allowed on the last message',
    ],
    [
      'a partial message with calls',
      [user, { ...call('a'), partial: true }],
      'messages[1].partial',
      'cannot have tool_calls',
    ],
  ])('refuse %s', (_name, messages, param, text) => {
    const error = check(messages);
    expect(error?.code).toBe('invalid_request');
    expect(error?.param).toBe(param);
    expect(error?.message).toContain(text);
  });
});

describe('the shape of one message', () => {
  const issueOf = (message: unknown) =>
    chatCompletionRequestSchema.safeParse({ model: 'm', messages: [message] }).success;

  it.each([
    [{ role: 'robot', content: 'x' }],
    [{ role: 'function', name: 'f', content: 'x' }],
    [{ content: 'x' }],
    [{ role: 'user' }],
    [{ role: 'user', content: null }],
    [{ role: 'user', content: 5 }],
    [{ role: 'user', content: { type: 'text', text: 'x' } }],
    [{ role: 'user', content: [{ type: 'text' }] }],
    [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://x/y.png' } }] }],
    [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }],
    [{ role: 'user', content: [{ type: 'refusal', refusal: 'no' }] }],
    [{ role: 'tool', content: 'x' }],
    [{ role: 'tool', content: 'x', tool_call_id: '' }],
    [{ role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f' } }] }],
    [
      {
        role: 'assistant',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: {} } }],
      },
    ],
    [{ role: 'assistant', content: 'x', tool_calls: {} }],
    [null],
    ['user: hi'],
  ])('refuses %j', (message) => {
    expect(issueOf(message)).toBe(false);
  });
});
