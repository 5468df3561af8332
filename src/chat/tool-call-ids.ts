/**
 * Ids of tool calls as the Kimi API writes them: `name:idx`, idx counting over the conversation from 0
 * (`search:0`, later `Shell:58`). Engines do not name their calls, so that every engine gives the same ids.
 */
import type { ChatMessage } from './types.ts';

/**
 * The counter of the next call. It follows both the number of calls in the history and the highest counter seen
 * there, because clients that trim old messages keep the newer ids.
 */
export function nextToolCallCounter(messages: readonly ChatMessage[]): number {
  let callCount = 0;
  let counterMax = -1;
  for (const message of messages) {
    if (message.role !== 'assistant') continue;
    for (const call of message.toolCalls) {
      callCount += 1;
      counterMax = Math.max(counterMax, readCounter(call.id, call.name));
    }
  }
  return Math.max(callCount, counterMax + 1);
}

/** The counter of an id in our form or in the model's own (`functions.name:idx`); −1 for any other id. */
function readCounter(id: string, name: string): number {
  const separator = id.lastIndexOf(':');
  const idName = id.slice(0, Math.max(separator, 0));
  if (idName !== name && idName !== `functions.${name}`) return -1;
  const digits = id.slice(separator + 1);
  // Longer numbers are somebody else's numbering (timestamps, random ids), not positions in a conversation.
  return /^\d{1,5}$/.test(digits) ? Number(digits) : -1;
}

/** The id of the answer's call at position `index`. */
export function toolCallId(name: string, firstCounter: number, index: number): string {
  return `${name}:${firstCounter + index}`;
}
