/** A POST whose answer is a stream of JSON events, read with as little work as possible. */
import { type Dispatcher, request } from 'undici';

export interface SsePost {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
  readonly signal?: AbortSignal | undefined;
}

/** Yields every `data:` payload but `[DONE]`. Throws for a status other than 200 and for an `error` payload. */
export async function* readSse(post: SsePost): AsyncGenerator<Record<string, unknown>> {
  const response: Dispatcher.ResponseData = await request(post.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...post.headers },
    body: JSON.stringify(post.body),
    signal: post.signal ?? null,
    bodyTimeout: 0,
  });
  if (response.statusCode !== 200) {
    throw new Error(`${post.url}: status ${response.statusCode}: ${await response.body.text()}`);
  }
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of response.body) {
    pending += decoder.decode(chunk, { stream: true });
    const events = pending.split('\n\n');
    pending = events.pop() ?? '';
    for (const event of events) {
      if (!event.startsWith('data: ') || event === 'data: [DONE]') continue;
      const payload: Record<string, unknown> = JSON.parse(event.slice(6));
      if (payload.error !== undefined) throw new Error(`${post.url}: ${JSON.stringify(payload.error)}`);
      yield payload;
    }
  }
}
