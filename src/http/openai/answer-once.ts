/**
 * Chat completions under an Idempotency-Key: the answer is made apart from the clients that read it, so that it can
 * be kept, given again, and shared by twins. Without the header nothing here runs.
 */
import type { FastifyReply } from 'fastify';
import type { Charge } from '../../billing/meter.ts';
import type { ChatTurnContext } from '../../chat/chat-service.ts';
import { createCompletionFold } from '../../chat/collect.ts';
import type { ChatEvent, Usage } from '../../chat/types.ts';
import { ApiError, toApiError } from '../../errors.ts';
import type {
  AnswerEnd,
  AnswerInTheMaking,
  IdempotentAnswers,
} from '../../idempotency/idempotent-answers.ts';
import { digestRequest } from '../../idempotency/request-digest.ts';
import type { AnswerReader } from '../../idempotency/shared-answer.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { logStreamError } from '../middleware/handle-error.ts';
import { EventStream } from '../sse.ts';
import { watchClient } from '../watch-client.ts';
import { identifyCompletion } from './completion-identity.ts';
import type { DecodedRequest } from './decode-request.ts';
import { createChunkEncoder } from './encode-chunk.ts';
import { encodeCompletion } from './encode-completion.ts';
import { encodeErrorEvent } from './encode-error.ts';
import { encodeCostHeaders } from './encode-usage.ts';
import { type IncomingChat, type PreparedChat, prepareChat } from './prepare-chat.ts';

export interface KeyedChat {
  readonly answers: IdempotentAnswers;
  readonly key: string;
  readonly incoming: IncomingChat;
  /** Undefined: to be prepared by whoever makes the answer. */
  readonly prepared: PreparedChat | undefined;
  readonly onRateLimits: NonNullable<ChatTurnContext['onRateLimits']>;
}

/** Answers the request, or gives the answer that it was given before. Throws as `ChatService.start` does. */
export async function answerOnce(
  dependencies: HttpDependencies,
  reply: FastifyReply,
  chat: KeyedChat,
): Promise<void> {
  const { request, caller, body, isDeterministic } = chat.incoming;
  const digest = digestRequest({
    // The alias is the same address.
    path: '/v1/chat/completions',
    isDeterministic,
    body,
  });
  const reader = await chat.answers.open(
    { accountId: caller.accountId, key: chat.key, digest, inferenceId: request.context.inferenceId },
    (answer) => makeAnswer(dependencies, answer, chat),
  );
  const client = watchClient(reply.raw);
  const onLeave = (): void => reader.close();
  if (client.aborted) onLeave();
  else client.addEventListener('abort', onLeave, { once: true });
  try {
    await (isStreamAsked(body) ? streamAnswer(dependencies, reply, reader) : sendAnswer(reply, reader));
  } finally {
    reader.close();
  }
}

async function sendAnswer(reply: FastifyReply, reader: AnswerReader): Promise<void> {
  let body = '';
  for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) body += piece;
  setHeaders(reply, reader);
  reply.header('content-type', 'application/json; charset=utf-8');
  reply.send(body);
}

/** A failure before the first frame is thrown (an ordinary error answer); after it, it is the last frame. */
async function streamAnswer(
  dependencies: HttpDependencies,
  reply: FastifyReply,
  reader: AnswerReader,
): Promise<void> {
  const stream = new EventStream(reply, dependencies.settings);
  try {
    for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
      if (!stream.isOpen) setHeaders(reply, reader);
      await stream.send(piece);
    }
    stream.end('');
  } catch (thrown) {
    if (!stream.isOpen) throw thrown;
    const error = toApiError(thrown);
    // Once for all twins.
    if (!reader.isReplay()) logStreamError(dependencies, error, reader.headers()['x-inference-id']);
    stream.end(encodeErrorEvent(error));
  } finally {
    stream.close();
  }
}

function setHeaders(reply: FastifyReply, reader: AnswerReader): void {
  reply.headers(reader.headers());
  if (reader.isReplay()) reply.header('x-perigee-idempotent-replay', 'true');
}

/** Of a body that may not have been looked at yet: one that is refused has no stream. */
const isStreamAsked = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'stream' in body && body.stream === true;

/** Runs the turn. What keeps its answer is written with its charge, so that neither is there without the other. */
async function makeAnswer(
  dependencies: HttpDependencies,
  answer: AnswerInTheMaking,
  { incoming, prepared, onRateLimits }: KeyedChat,
): Promise<void> {
  const { chat: service, clock } = dependencies;
  const { caller, request } = incoming;
  const { inferenceId, clientRequestId } = request.context;
  const ready = prepared ?? (await prepareChat(dependencies, incoming, answer.signal));
  const { decoded } = ready;
  const identity = identifyCompletion(inferenceId, clock.now(), decoded.model);
  const composer = decoded.isStream
    ? composeStream(createChunkEncoder(identity, decoded.includesUsage), answer)
    : composeCompletion(decoded, identity);
  const headers = { ...ready.headers, 'x-inference-id': inferenceId, 'x-request-id': inferenceId };
  answer.describe(headers);
  const end = (usage: Usage, charge: Charge): AnswerEnd => {
    const composed = composer.end(usage, charge);
    return { ...composed, headers: { ...headers, ...composed.headers } };
  };
  const turn = await service.start(decoded.request, {
    caller,
    inferenceId,
    clientRequestId,
    signal: answer.signal,
    onRateLimits,
    sealAnswer: (usage, charge) => answer.keep(end(usage, charge)),
  });
  for await (const event of turn.events) {
    if (event.type === 'finish') return answer.end(end(event.usage, turn.charge()));
    composer.add(event);
  }
  throw new ApiError('engine_failed', { internal: 'the events ended without `finish`' });
}

/** Makes the answer's text from events. */
interface Composer {
  add(event: Exclude<ChatEvent, { type: 'finish' }>): void;
  /** Safe to call again. */
  end(usage: Usage, charge: Charge): AnswerEnd;
}

function composeStream(encoder: ReturnType<typeof createChunkEncoder>, answer: AnswerInTheMaking): Composer {
  return {
    add: (event) => {
      // Comments about the prefill are for those who wait now; a kept answer has none.
      if (event.type === 'choice-finish') encoder.holdFinish(event);
      else if (event.type !== 'prefill-progress') answer.add(encoder.encodeDelta(event));
    },
    end: (usage, charge) => ({ headers: {}, last: encoder.encodeFinish(usage, charge) }),
  };
}

function composeCompletion(
  decoded: DecodedRequest,
  identity: ReturnType<typeof identifyCompletion>,
): Composer {
  const fold = createCompletionFold();
  const hasLogprobs = decoded.request.logprobs !== undefined;
  return {
    add: (event) => fold.add(event),
    end: (usage, charge) => ({
      headers: encodeCostHeaders(charge),
      last: encodeCompletion({ identity, completion: fold.complete(usage), charge, hasLogprobs }),
    }),
  };
}
