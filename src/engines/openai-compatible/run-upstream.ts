/** Runs the choices of one attempt on the upstream and merges what comes back into one stream of events. */
import type { ChatRequest } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { EngineEvent, RunOptions } from '../engine.ts';
import { createAnswerDecoder, type DecodedUsage } from './answer-decoder.ts';
import { EventQueue } from './event-queue.ts';
import { startExchange } from './exchange.ts';
import { encodeRequest } from './openai-wire.ts';
import type { RequestControl, UpstreamConnection } from './upstream-connection.ts';
import type { Upstream } from './upstream-options.ts';

export interface UpstreamRun {
  readonly upstream: Upstream;
  readonly connection: UpstreamConnection;
  readonly request: ChatRequest;
  readonly options: RunOptions;
  readonly accountId: number;
  readonly signal: AbortSignal;
  /** The likely count, for upstreams that report no usage. */
  readonly promptTokens: number;
  /** Asked before anything is sent; throws ApiError when there is no room. `stop` ends the run from outside. */
  admit(requestCount: number, stop: (error: ApiError) => void): RunTicket;
}

export interface RunTicket {
  /** Called once when the run ended; undefined when it ended well. */
  leave(error: ApiError | undefined): void;
}

/** Events that may wait for a slow reader before the upstream is asked to pause. */
const QUEUE_SIZE_MAX = 1024;
/** UTF-16 units of text that may become one event. */
const MERGED_LENGTH_MAX = 2048;

/** Starts at the first `next`. Throws ApiError; see `PreparedTurn.run`. */
export function runUpstream(run: UpstreamRun): AsyncIterable<EngineEvent> {
  return { [Symbol.asyncIterator]: () => startRun(run) };
}

/** Nothing that lives as long as the answer may refer to `run`: the prompt could not be freed before its end. */
function startRun(run: UpstreamRun): AsyncIterator<EngineEvent> {
  const { signal, promptTokens } = run;
  const exchanges: RequestControl[] = [];
  const usages: DecodedUsage[] = [];
  let isOver = false;

  const over = (error: ApiError | undefined): void => {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener('abort', onAbort);
    ticket.leave(error);
  };
  const fail = (error: ApiError): void => {
    for (const exchange of exchanges) exchange.abort();
    queue.fail(error);
    over(error);
  };
  const onAbort = (): void => fail(new ApiError('client_closed_request'));
  const queue = new EventQueue<EngineEvent>({
    sizeMax: QUEUE_SIZE_MAX,
    onFull() {
      for (const exchange of exchanges) exchange.pause();
    },
    onDrained() {
      for (const exchange of exchanges) exchange.resume();
    },
    onReturn: onAbort,
    merge: mergeTexts,
  });
  const groups = groupChoices(run);
  const ticket = run.admit(groups.length, fail);

  if (signal.aborted) {
    onAbort();
    return queue;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  for (const choices of groups) {
    if (isOver) break;
    const encoded = encodeRequest(
      run.request,
      { ...run.options, accountId: run.accountId, choices },
      run.upstream,
    );
    exchanges.push(
      startExchange({
        connection: run.connection,
        path: `${run.upstream.baseUrl.pathname.replace(/\/$/, '')}/chat/completions`,
        body: JSON.stringify(encoded.body),
        timeouts: run.upstream.timeouts,
        decoder: createAnswerDecoder({
          choices,
          hasLogprobs: run.request.logprobs !== undefined,
          textForm: {
            hasControlTokens: run.upstream.toolIdStyle === 'kimi',
            isCall: encoded.isCallFormat,
            echo: findEcho(run),
          },
          ...(!run.request.isParallelToolCallsAllowed && { callsMax: 1 }),
          emit: (event) => queue.push(event),
        }),
        onError: fail,
        onEnd(usage) {
          usages.push(usage);
          if (usages.length < groups.length) return;
          queue.push({ type: 'finish', usage: sumUsage(promptTokens, usages) });
          queue.end();
          over(undefined);
        },
      }),
    );
  }
  return queue;
}

/** Texts that came in one packet go on as one: every layer above costs per event. */
function mergeTexts(waiting: EngineEvent, next: EngineEvent): EngineEvent | undefined {
  if (waiting.type !== 'text-delta' || next.type !== 'text-delta' || waiting.choice !== next.choice)
    return undefined;
  if (waiting.logprobs !== undefined || next.logprobs !== undefined) return undefined;
  // The queue's bound counts events, so an event must have a bound of its own.
  if (waiting.text.length + next.text.length > MERGED_LENGTH_MAX) return undefined;
  const tokenCount = (waiting.tokenCount ?? 1) + (next.tokenCount ?? 1);
  return { ...waiting, text: waiting.text + next.text, tokenCount };
}

/** The partial message that the upstream will repeat before it continues it. */
function findEcho({ request, upstream }: UpstreamRun): string | undefined {
  const last = request.messages.at(-1);
  const isEchoed = last?.role === 'assistant' && last.isPartial && upstream.capabilities.partial === 'echo';
  return isEchoed ? last.text : undefined;
}

/** One upstream request for all choices, or one for each where the upstream knows no `n`. */
function groupChoices({ options, upstream }: UpstreamRun): (readonly number[])[] {
  return upstream.capabilities.multipleChoices
    ? [options.choices]
    : options.choices.map((choice) => [choice]);
}

/** The prompt was the same for every choice, so it counts once. */
function sumUsage(
  likelyPromptTokens: number,
  usages: readonly DecodedUsage[],
): Extract<EngineEvent, { type: 'finish' }>['usage'] {
  const completionTokens = usages.reduce((sum, usage) => sum + usage.completionTokens, 0);
  const measured = usages.find(({ usage }) => usage !== undefined)?.usage;
  const isMeasured = usages.every(({ usage }) => usage !== undefined);
  return {
    promptTokens: measured?.promptTokens ?? likelyPromptTokens,
    cachedTokens: measured?.cachedTokens ?? 0,
    completionTokens,
    source: isMeasured ? 'upstream' : 'estimate',
  };
}
