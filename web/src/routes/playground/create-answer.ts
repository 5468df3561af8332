import type { AnswerNode } from './conversation.ts';

/** An answer of which nothing has come yet. */
export const createAnswer = (place: Pick<AnswerNode, 'id' | 'parentId' | 'request'>): AnswerNode => ({
  ...place,
  role: 'assistant',
  state: 'streaming',
  text: '',
  toolCalls: [],
  annotations: [],
  finishReason: undefined,
  failure: undefined,
  numbers: undefined,
  firstTokenMs: undefined,
  totalMs: undefined,
  inferenceId: undefined,
});
