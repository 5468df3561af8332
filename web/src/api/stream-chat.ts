/** One streamed answer of `POST /v1/chat/completions`, as the chunks that the server sends. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { ApiFailure } from './api-failure.ts';
import { send } from './request.ts';
import type { ChatChunk, ChatRequestBody } from './wire-types.ts';

export interface ChatStream {
  /** Names the request in logs and ledger. */
  readonly inferenceId: string | undefined;
  readonly chunks: AsyncIterable<ChatChunk>;
}

/**
 * Resolves when the answer begins. Throws ApiFailure for a refusal; `chunks` throws one for a failure on the way
 * (code of the server's error event) and `stream_interrupted` when the connection ends before the answer does.
 */
export async function streamChat(
  body: ChatRequestBody,
  {
    signal,
    headers = {},
  }: { readonly signal: AbortSignal; readonly headers?: Readonly<Record<string, string>> },
): Promise<ChatStream> {
  const response = await send('/v1/chat/completions', { method: 'POST', body, headers, signal });
  if (response.body === null)
    throw new ApiFailure({ status: 0, code: 'unreachable', message: 'The answer is empty.' });
  const inferenceId = response.headers.get('x-inference-id') ?? undefined;
  return { inferenceId, chunks: readChunks(response.body, signal, inferenceId) };
}

async function* readChunks(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
  requestId: string | undefined,
): AsyncGenerator<ChatChunk> {
  const interrupted = (cause?: unknown): ApiFailure =>
    new ApiFailure({
      status: 0,
      code: 'stream_interrupted',
      message: 'The connection was lost before the answer was complete.',
      requestId,
      cause,
    });
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw signal.aborted ? cause : interrupted(cause);
      });
      // `[DONE]` is the only good end: a stream that just stops was cut off.
      if (done) throw interrupted();
      if (value.data === '[DONE]') return;
      yield readChunk(value.data, requestId);
    }
  } finally {
    // Also when the caller stops early: the server learns it from the closed connection.
    await reader.cancel().catch(() => undefined);
  }
}

function readChunk(data: string, requestId: string | undefined): ChatChunk {
  const chunk = JSON.parse(data) as ChatChunk & { readonly error?: WireError }; // The server validates what it sends.
  if (chunk.error === undefined) return chunk;
  const { message, code, type } = chunk.error;
  throw new ApiFailure({ status: 200, message, code, type, requestId, body: data });
}

interface WireError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
}
