/** Chat completions by plain HTTP, with the answers as the wire has them. */
import type { RunningServer } from './running-server.ts';
import { modelName } from './running-server.ts';

export interface WireToolCall {
  readonly index?: number;
  readonly id?: string;
  readonly type?: string;
  readonly function: { readonly name?: string; readonly arguments?: string };
}

export interface WireMessage {
  readonly role?: string;
  readonly content?: string | null;
  readonly tool_calls?: readonly WireToolCall[] | null;
}

export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export interface WireCompletion {
  readonly id: string;
  readonly choices: readonly {
    readonly index: number;
    readonly message: WireMessage;
    readonly finish_reason: string;
  }[];
  readonly usage: WireUsage;
}

export interface WireError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
}

export interface WireChunk {
  readonly error?: WireError;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: WireMessage;
    readonly finish_reason: string | null;
    readonly usage?: WireUsage;
  }[];
}

/**
 * Fields of a request whose answer cannot end before that many numbers are written, of two tokens each: for what has to
 * happen while the model is at work, whatever it would rather say.
 */
export const longAnswer = (numbers: number): object => ({
  response_format: {
    type: 'json_schema',
    json_schema: {
      name: 'numbers',
      strict: true,
      schema: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 9 }, minItems: numbers },
    },
  },
});

/** Sends one request; the model is filled in. */
export function postChat(
  server: Pick<RunningServer, 'baseUrl' | 'apiKey'>,
  body: object,
  init: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(`${server.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.apiKey}`,
      'content-type': 'application/json',
      ...init.headers,
    },
    body: JSON.stringify({ model: modelName, ...body }),
    signal: init.signal ?? null,
  });
}

/** Throws with the body when the status is not 200. */
export async function readCompletion(response: Response): Promise<WireCompletion> {
  const text = await response.text();
  if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`);
  return JSON.parse(text);
}

/** The error that an answer carries in its body. */
export async function readError(response: Response): Promise<WireError> {
  const body = (await response.json()) as { error: WireError }; // The contract's shape; tests check its fields.
  return body.error;
}

/** Every `data:` payload of a stream, in order, `[DONE]` included; comments are left out. */
export async function* readPayloads(response: Response): AsyncGenerator<string> {
  if (response.status !== 200 || response.body === null) {
    throw new Error(`status ${response.status}: ${await response.text()}`);
  }
  let pending = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (pending + text).split('\n\n');
    pending = frames.pop() ?? '';
    for (const frame of frames) if (frame.startsWith('data: ')) yield frame.slice('data: '.length);
  }
  if (pending !== '') throw new Error(`the stream ended inside a frame: ${pending}`);
}

/** What a stream says in the end, in the shape of the answer without streaming. Throws on an error event. */
export async function foldStream(response: Response): Promise<Pick<WireCompletion, 'choices'>> {
  const choices = new Map<number, { content: string; calls: Map<number, WireToolCall>; reason: string }>();
  let last = '';
  for await (const payload of readPayloads(response)) {
    last = payload;
    if (payload === '[DONE]') continue;
    const chunk: WireChunk = JSON.parse(payload);
    if (chunk.error !== undefined) throw new Error(`the stream failed: ${chunk.error.message}`);
    for (const { index, delta, finish_reason } of chunk.choices) {
      const choice = choices.get(index) ?? { content: '', calls: new Map(), reason: '' };
      choices.set(index, choice);
      choice.content += delta.content ?? '';
      for (const piece of delta.tool_calls ?? []) addToolCall(choice.calls, piece);
      choice.reason = finish_reason ?? choice.reason;
    }
  }
  if (last !== '[DONE]') throw new Error(`the stream did not end with [DONE] but with: ${last}`);
  return {
    choices: Array.from(choices, ([index, { content, calls, reason }]) => ({
      index,
      message: {
        role: 'assistant',
        content,
        ...(calls.size > 0 && { tool_calls: [...calls.values()] }),
      },
      finish_reason: reason,
    })).sort((a, b) => a.index - b.index),
  };
}

function addToolCall(calls: Map<number, WireToolCall>, piece: WireToolCall): void {
  const at = piece.index ?? 0;
  const known = calls.get(at);
  const text = (known?.function.arguments ?? '') + (piece.function.arguments ?? '');
  calls.set(at, {
    ...known,
    ...piece,
    function: { ...known?.function, ...piece.function, arguments: text },
  });
}
