/** Requests as clients send them, answers as clients read them. */

export const testModelId = 'moonshot/kimi-k2-turbo-preview';

/** A request that is valid and plain. */
export function chatBody(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { model: testModelId, messages: [{ role: 'user', content: 'Hello' }], ...fields };
}

/** The JSON payloads of a stream's `data:` lines, without `[DONE]`. */
export function dataOf(stream: string): Record<string, unknown>[] {
  return stream
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice('data: '.length)));
}
