/** How many tokens a prompt has: asked of the upstream where it can count, else estimated. */
import type { ChatRequest } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import { classifyResponse, classifyTransport } from './classify-error.ts';
import { estimateTokens, estimateTokensMax } from './estimate-tokens.ts';
import { encodeMessages, encodeToolDeclarations, type WireObject } from './openai-wire.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import type { Upstream } from './upstream-options.ts';
import { asCount, asList, asRecord, asText } from './wire-chunk.ts';

export interface PromptCount {
  /** Exact, or an upper estimate. */
  readonly promptTokens: number;
  readonly isExact: boolean;
  /** The likely count, for charging when the upstream reports no usage. */
  readonly likelyTokens: number;
}

/** Role names and the marks around a message, in every known chat template. */
const MESSAGE_TOKENS_MAX = 16;

/** Throws ApiError when the upstream's counter fails, or `client_closed_request`. */
export async function countPrompt(
  request: ChatRequest,
  upstream: Upstream,
  connection: UpstreamConnection,
  signal: AbortSignal,
): Promise<PromptCount> {
  const messages = encodeMessages(request.messages, upstream);
  const tools = encodeToolDeclarations(request.tools);
  if (upstream.tokenizer === 'none') return estimatePrompt(messages, tools);
  const count = { vllm: countWithVllm, 'llama-server': countWithLlamaServer }[upstream.tokenizer];
  const promptTokens = await count({ messages, tools, upstream, connection, signal });
  return { promptTokens, isExact: true, likelyTokens: promptTokens };
}

/** A text by itself, as it counts inside a message. Throws ApiError as `countPrompt` does. */
export async function countText(text: string, server: CountedServer): Promise<number> {
  switch (server.upstream.tokenizer) {
    case 'none':
      return estimateTokens(text);
    case 'vllm': {
      const body = { model: server.upstream.model, prompt: text, add_special_tokens: false };
      return text === '' ? 0 : readVllmCount(await post(server, '/tokenize', body));
    }
    case 'llama-server': {
      const body = { content: text, add_special: false, parse_special: false };
      return text === '' ? 0 : readTokenList(await post(server, '/tokenize', body));
    }
    default:
      return server.upstream.tokenizer satisfies never;
  }
}

function estimatePrompt(messages: readonly WireObject[], tools: readonly WireObject[]): PromptCount {
  const text =
    messages.map((message) => readTexts(message)).join('') + (tools.length > 0 ? JSON.stringify(tools) : '');
  const framing = (messages.length + 1) * MESSAGE_TOKENS_MAX;
  return {
    promptTokens: estimateTokensMax(text) + framing,
    isExact: false,
    likelyTokens: estimateTokens(text) + framing / 4,
  };
}

/** Everything of a message that a template prints; its tool calls as JSON. */
function readTexts(message: WireObject): string {
  const { content, name, tool_calls } = message;
  const calls = tool_calls === undefined ? '' : JSON.stringify(tool_calls);
  return `${asText(content) ?? ''}${asText(name) ?? ''}${calls}`;
}

interface CountedServer {
  readonly upstream: Upstream;
  readonly connection: UpstreamConnection;
  readonly signal: AbortSignal;
}

interface CountInput extends CountedServer {
  readonly messages: readonly WireObject[];
  readonly tools: readonly WireObject[];
}

async function countWithVllm(input: CountInput): Promise<number> {
  const { messages, tools, upstream } = input;
  const body = await post(input, '/tokenize', {
    model: upstream.model,
    messages,
    ...(tools.length > 0 && { tools }),
  });
  return readVllmCount(body);
}

async function countWithLlamaServer(input: CountInput): Promise<number> {
  const { messages, tools } = input;
  const applied = await post(input, '/apply-template', { messages, ...(tools.length > 0 && { tools }) });
  const prompt = asText(asRecord<{ readonly prompt?: unknown }>(applied)?.prompt);
  if (prompt === undefined) throw unusable('/apply-template');
  const tokenized = await post(input, '/tokenize', {
    content: prompt,
    add_special: true,
    parse_special: true,
  });
  return readTokenList(tokenized);
}

const readVllmCount = (body: unknown): number =>
  requireCount(asRecord<{ readonly count?: unknown }>(body)?.count);
const readTokenList = (body: unknown): number =>
  requireCount(asList(asRecord<{ readonly tokens?: unknown }>(body)?.tokens).length);

/** The counters stand beside the API, above its `/v1`. */
async function post(
  { upstream, connection, signal }: CountedServer,
  path: string,
  body: WireObject,
): Promise<unknown> {
  const root = upstream.baseUrl.pathname.replace(/\/(?:v\d+\/?)?$/, '');
  const timeout = AbortSignal.timeout(upstream.timeouts.firstByteMs);
  try {
    const request = { method: 'POST', path: `${root}${path}`, body: JSON.stringify(body) } as const;
    const response = await connection.requestJson(request, AbortSignal.any([signal, timeout]));
    if (response.status === 200) return response.body;
    throw classifyResponse(response.status, response.body, response.headers);
  } catch (thrown) {
    if (thrown instanceof ApiError) throw thrown;
    if (signal.aborted) throw new ApiError('client_closed_request', { cause: thrown });
    if (timeout.aborted) throw new ApiError('engine_timeout', { cause: thrown });
    throw classifyTransport(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

function requireCount(value: unknown): number {
  const count = asCount(value);
  if (count === undefined || count === 0) throw unusable('/tokenize');
  return count;
}

const unusable = (path: string): ApiError =>
  new ApiError('upstream_failed', { internal: `the upstream's ${path} answered without a count` });
