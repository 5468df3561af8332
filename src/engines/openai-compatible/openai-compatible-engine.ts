/**
 * An engine that is somebody else's server: anything that speaks OpenAI's chat completions (vLLM, SGLang,
 * llama-server, Ollama, LM Studio, hosted providers). A new such server is configuration only; what differs
 * between them is a field of `UpstreamCapabilities`, never a branch on a product's name.
 */
import { createHash } from 'node:crypto';
import type { ChatRequest } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { Engine } from '../engine.ts';
import { fitOutput } from '../fit-output.ts';
import { countPrompt, countText, type PromptCount } from './count-prompt.ts';
import { refuseUnsupported } from './refuse-unsupported.ts';
import { type RunTicket, runUpstream } from './run-upstream.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import { watchUpstream } from './upstream-health.ts';
import { type OpenAiCompatibleOptions, resolveUpstream } from './upstream-options.ts';

/** When neither the operator nor the upstream says. */
const CONTEXT_TOKENS_DEFAULT = 8192;
/** How long a caller should wait when every connection is taken. */
const OVERLOADED_RETRY_SECONDS = 2;

export interface OpenAiCompatibleEngine extends Engine {
  /** Resolves when the upstream was asked for the first time; `health` says what came back. Never rejects. */
  readonly asked: Promise<void>;
}

/** Starts looking at the upstream at once. Throws a TypeError when `baseUrl` is no URL. */
export function createOpenAiCompatibleEngine(options: OpenAiCompatibleOptions): OpenAiCompatibleEngine {
  const upstream = resolveUpstream(options);
  const connection = new UpstreamConnection(upstream);
  const health = watchUpstream(upstream, connection);
  // Nobody outside knows the weights' own hash; the name at least tells two models apart.
  const digest = createHash('sha256').update(upstream.model).digest('hex').slice(0, 8);
  const running = new Set<(error: ApiError) => void>();
  let requestsOpen = 0;

  const knownContextTokens = (): number | undefined => upstream.contextTokens ?? health.contextTokens();

  function admit(requestCount: number, stop: (error: ApiError) => void): RunTicket {
    if (requestsOpen + requestCount > upstream.connectionsMax) {
      throw new ApiError('engine_overloaded', { retryAfterSeconds: OVERLOADED_RETRY_SECONDS });
    }
    requestsOpen += requestCount;
    running.add(stop);
    return {
      leave(error) {
        requestsOpen -= requestCount;
        running.delete(stop);
        health.note(error);
      },
    };
  }

  return {
    id: upstream.id,
    kind: 'openai-compatible',
    asked: health.asked,
    health: () => health.current(),
    backing: () => ({
      weights: upstream.weights,
      sizeBytes: undefined,
      licence: upstream.licence,
      contextTokens: knownContextTokens() ?? CONTEXT_TOKENS_DEFAULT,
      digest,
      isSchemaEnforced: upstream.capabilities.schemaEnforced,
    }),
    async prepare(request, context) {
      refuseUnsupported(request, upstream.capabilities);
      const count = await countPrompt(request, upstream, connection, context.signal);
      return {
        promptTokens: count.promptTokens,
        isPromptCountExact: count.isExact,
        outputTokensMax: boundOutput(request, upstream.outputTokensDefault, count, knownContextTokens()),
        needsOutputCheck: false,
        run: (runOptions) =>
          runUpstream({
            upstream,
            connection,
            request,
            options: runOptions,
            accountId: context.accountId,
            signal: context.signal,
            promptTokens: count.likelyTokens,
            admit,
          }),
        // Nothing is kept of a prompt until it is sent.
        discard: () => undefined,
      };
    },
    countText: (text, signal) => countText(text, { upstream, connection, signal }),
    // The rest is known to the upstream alone.
    stats: async () => ({
      runningCount: requestsOpen,
      waitingCount: null,
      waitingCountMax: null,
      kvCellsUsed: null,
      kvCellsTotal: null,
      promptTokensPerSecond: null,
      outputTokensPerSecond: null,
    }),
    async close() {
      health.stop();
      const closing = new ApiError('engine_failed', { internal: 'the engine was closed' });
      for (const stop of running) stop(closing);
      await connection.close();
    },
  };
}

/** Output tokens per choice. Only an exact count may refuse or shorten: an estimate leaves that to the upstream. */
function boundOutput(
  request: ChatRequest,
  outputTokensDefault: number,
  count: PromptCount,
  windowTokens: number | undefined,
): number {
  if (!count.isExact || windowTokens === undefined) return request.outputTokensMax ?? outputTokensDefault;
  return fitOutput(request, count.promptTokens, { windowTokens, outputTokensDefault });
}
