/** `POST /v1/chat/completions`: one path from the body to the events; streaming and folding differ at the end only. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { MeteredTurn } from '../../chat/chat-service.ts';
import { collectCompletion } from '../../chat/collect.ts';
import { ApiError, toApiError } from '../../errors.ts';
import { readIdempotencyKey } from '../../idempotency/request-digest.ts';
import type { RateLimitState } from '../../limits/rate-limit-state.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { logStreamError } from '../middleware/handle-error.ts';
import { parseJsonBody } from '../middleware/read-body.ts';
import { answerOnce } from '../openai/answer-once.ts';
import { type CompletionIdentity, identifyCompletion } from '../openai/completion-identity.ts';
import type { DecodedRequest } from '../openai/decode-request.ts';
import { createChunkEncoder } from '../openai/encode-chunk.ts';
import { encodeCompletion, encodeDryRun } from '../openai/encode-completion.ts';
import { encodeErrorEvent } from '../openai/encode-error.ts';
import { encodeRateLimits } from '../openai/encode-rate-limits.ts';
import { encodeCostHeaders } from '../openai/encode-usage.ts';
import { type IncomingChat, prepareChat } from '../openai/prepare-chat.ts';
import { readCacheUse } from '../openai/read-cache-use.ts';
import { completionChunkSchema, completionSchema } from '../openai/response-schema.ts';
import { chatCompletionRequestSchema, chatHeadersSchema } from '../openai/schema.ts';
import { EventStream } from '../sse.ts';
import { neverLeaves, watchClient } from '../watch-client.ts';
import type { Route } from './route.ts';

/** An answer in the making. */
interface ChatAnswer {
  readonly hasLogprobs: boolean;
  /** `stream_options.include_usage`. */
  readonly includesUsage: boolean;
  readonly turn: MeteredTurn;
  readonly identity: CompletionIdentity;
}

export function createChatCompletionsRoute(dependencies: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/v1/chat/completions', '/chat/completions'],
    access: 'key',
    isInference: true,
    schema: {
      tags: ['Chat'],
      summary: 'Create a chat completion',
      operationId: 'createChatCompletion',
      security: [{ bearer: [] }],
      headers: chatHeadersSchema,
      body: chatCompletionRequestSchema,
      response: {
        200: {
          description:
            'The completion; with `stream: true` as server-sent events that end with `data: [DONE]`.',
          content: {
            'application/json': { schema: completionSchema },
            'text/event-stream': { schema: completionChunkSchema },
          },
        },
        ...describeErrors([400, 401, 403, 404, 409, 415, 429, 500, 502, 503, 504]),
      },
    },
    handle: (request, reply) => answerChat(dependencies, request, reply),
  };
}

async function answerChat(
  dependencies: HttpDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const caller = callerOf(request);
  const body = parseJsonBody(request);
  // An answer may take minutes: what it does not need is let go of, here and below, for prompts are large.
  request.body = undefined;
  const incoming: IncomingChat = {
    request,
    caller,
    body,
    isDeterministic: isDeterministic(request, dependencies.settings.isDeterministicDefault),
  };
  const onRateLimits = (state: RateLimitState): void => void reply.headers(encodeRateLimits(state));
  const key = readIdempotencyKey(request.headers['idempotency-key']);
  const { idempotentAnswers: answers } = dependencies;
  const cacheUse = readCacheUse(body, request.headers);
  if (key !== undefined && answers !== undefined && cacheUse?.isDryRun !== true) {
    // A cache is used once, as the answer is made once. Else preparing changes nothing, and a bad request takes no key.
    const prepared =
      cacheUse === undefined ? await prepareChat(dependencies, incoming, watchClient(reply.raw)) : undefined;
    const chat = { answers, key, incoming, prepared, onRateLimits };
    await answerOnce(dependencies, reply, chat);
    return reply;
  }
  const { decoded, isDryRun, headers } = await prepareChat(dependencies, incoming, watchClient(reply.raw));
  reply.headers(headers);
  if (isDryRun) return sendDryRun(dependencies, { request, reply }, decoded);
  const { inferenceId, clientRequestId } = request.context;
  const { onClientLeft } = dependencies.settings;
  const signal = onClientLeft === 'finish' ? neverLeaves : watchClient(reply.raw);
  const turn = await dependencies.chat.start(decoded.request, {
    caller,
    inferenceId,
    clientRequestId,
    signal,
    onRateLimits,
  });
  const identity = identifyCompletion(inferenceId, dependencies.clock.now(), decoded.model);
  const { isStream, includesUsage } = decoded;
  const answer = { hasLogprobs: decoded.request.logprobs !== undefined, includesUsage, turn, identity };
  // Not awaited: this function would keep the request as long as it waits.
  return isStream ? streamAnswer(dependencies, reply, answer) : sendAnswer(reply, answer);
}

/** An answer without choices: the context cache that the request names can be used. */
function sendDryRun(
  { clock }: HttpDependencies,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  { model, isStream }: DecodedRequest,
): FastifyReply {
  const identity = identifyCompletion(request.context.inferenceId, clock.now(), model);
  const body = JSON.stringify(encodeDryRun(identity, isStream));
  reply.header(
    'content-type',
    isStream ? 'text/event-stream; charset=utf-8' : 'application/json; charset=utf-8',
  );
  return reply.send(isStream ? `data: ${body}\n\ndata: [DONE]\n\n` : body);
}

async function sendAnswer(
  reply: FastifyReply,
  { hasLogprobs, turn, identity }: ChatAnswer,
): Promise<FastifyReply> {
  const completion = await collectCompletion(turn.events);
  const charge = turn.charge();
  reply.headers(encodeCostHeaders(charge));
  reply.header('content-type', 'application/json; charset=utf-8');
  return reply.send(encodeCompletion({ identity, completion, charge, hasLogprobs }));
}

/** A failure before the first frame is thrown (an ordinary error answer); after it, it is the last frame. */
async function streamAnswer(
  dependencies: HttpDependencies,
  reply: FastifyReply,
  answer: ChatAnswer,
): Promise<FastifyReply> {
  const stream = new EventStream(reply, dependencies.settings);
  try {
    stream.end(await streamEvents(dependencies, stream, answer));
  } catch (thrown) {
    if (!stream.isOpen) throw thrown;
    const error = toApiError(thrown);
    logStreamError(dependencies, error, answer.identity.id);
    stream.end(encodeErrorEvent(error));
  } finally {
    stream.close();
  }
  return reply;
}

/** Sends everything up to the last frames, and returns those. */
async function streamEvents(
  { clock, settings }: HttpDependencies,
  stream: EventStream,
  { includesUsage, turn, identity }: ChatAnswer,
): Promise<string> {
  const encoder = createChunkEncoder(identity, includesUsage);
  let announcedMs = clock.now();
  for await (const event of turn.events) {
    switch (event.type) {
      case 'prefill-progress':
        if (clock.now() - announcedMs < settings.prefillCommentMs) break;
        announcedMs = clock.now();
        await stream.sendComment(`prefill ${event.processedTokens}/${event.totalTokens}`);
        break;
      case 'choice-finish':
        encoder.holdFinish(event);
        break;
      case 'finish':
        return encoder.encodeFinish(event.usage, turn.charge());
      default: {
        const blocked = stream.send(encoder.encodeDelta(event));
        // Awaiting only under back-pressure keeps a turn of the microtask queue out of every token.
        if (blocked !== undefined) await blocked;
      }
    }
  }
  throw new ApiError('engine_failed', { internal: 'the events ended without `finish`' });
}

/** `x-perigee-deterministic: true` or `false` (also `1`, `0`) wins over the setting. */
function isDeterministic(request: FastifyRequest, isDefault: boolean): boolean {
  const value = request.headers['x-perigee-deterministic'];
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  return isDefault;
}
