/**
 * The embedded engine: GGUF weights behind the same seam as every other engine. This folder's other half runs in a
 * child process (`child.ts`) and knows tokens; this half knows conversations, tools and schemas.
 */
import { randomInt } from 'node:crypto';
import type { ChatRequest } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import { analyseSchema } from '../../grammar/analyse-schema.ts';
import type { Engine, EngineStats, ModelBacking, PreparedTurn, TurnContext } from '../engine.ts';
import { fitOutput, windowExceeded } from '../fit-output.ts';
import { createTokenRates, type TokenRates } from '../token-rates.ts';
import { holdPrompt } from './held-prompt.ts';
import type { LlamaHost } from './llama-host.ts';
import { createLlamaPrefixes } from './llama-prefixes.ts';
import { createLlamaTurn } from './llama-turn.ts';
import type { LoadedModel, EngineStats as ProcessStats } from './protocol.ts';
import { type ChatTemplate, createChatTemplate } from './template.ts';
import {
  composeGrammar,
  type OutputRules,
  readOutputRules,
  selectToolFormat,
  type ToolFormat,
} from './tool-format.ts';

export interface LlamaEngineOptions {
  readonly id: string;
  readonly host: LlamaHost;
  /** Shown to callers, e.g. `SmolLM2-135M-Instruct Q4_1`. */
  readonly weightsName: string;
  readonly licence: string | undefined;
  /** First 8 hex digits of the weights' SHA-256, or another stable name of them. */
  readonly digest: string;
  /** Tokens per choice when the request names none. */
  readonly defaultOutputTokens: number;
  /** System message of conversations that have none; default: what the model's own template says. */
  readonly systemText?: string | undefined;
  /** A turn without any progress for so long ends with `engine_timeout`; waiting for room counts. */
  readonly idleMsMax?: number;
  /** Told, once per loaded model, what of its own chat template could not be used; for the log. */
  readonly onTemplateNote?: (note: string) => void;
}

const idleMsDefault = 180_000;

/** How the loaded model is spoken to. */
interface ModelDialect {
  readonly model: LoadedModel;
  readonly format: ToolFormat;
  readonly template: ChatTemplate;
}

export function createLlamaEngine(options: LlamaEngineOptions): Engine {
  const { host } = options;
  let dialect: ModelDialect | undefined;
  const rates = createTokenRates(() => performance.now());

  const findDialect = (): ModelDialect => {
    const { model } = host;
    if (model === undefined) throw new ApiError('model_unavailable', describeHealth(host));
    if (dialect?.model === model) return dialect;
    dialect = createDialect(model, options.systemText);
    for (const note of dialect.template.notes) options.onTemplateNote?.(note);
    return dialect;
  };
  // Compiling and probing a template takes a moment, which the first request need not wait for.
  if (host.model !== undefined) findDialect();

  return {
    id: options.id,
    kind: 'llama',
    health: () => host.health(),
    backing: () => describeBacking(options),
    async prepare(request, context) {
      if (context.signal.aborted) throw new ApiError('client_closed_request');
      return prepareTurn(options, findDialect(), request, context);
    },
    prefixes: createLlamaPrefixes({
      host,
      render: (request) => findDialect().template.render(request),
      windowTokens: () => findDialect().model.contextTokens,
    }),
    async countText(text, signal) {
      // No control tokens: that is how caller text stands in a prompt.
      const counted = await holdPrompt(host, [{ text, isControl: false }], signal);
      counted.release();
      // A text inside a prompt has no beginning of its own.
      return counted.tokenCount - (host.model?.hasLeadingBos === true ? 1 : 0);
    },
    stats: async () => {
      const stats = await host.stats();
      return stats && describeStats(stats, host.queueLengthMax, rates);
    },
    close: () => host.close(),
  };
}

function describeStats(stats: ProcessStats, waitingCountMax: number, rates: TokenRates): EngineStats {
  const perSecond = rates.note({
    promptTokens: stats.prefilledTokensTotal,
    outputTokens: stats.decodedTokensTotal,
  });
  return {
    runningCount: stats.runningSequences,
    waitingCount: stats.queuedGenerations,
    waitingCountMax,
    kvCellsUsed: stats.kvCellsUsed,
    kvCellsTotal: stats.kvCells,
    promptTokensPerSecond: perSecond?.promptTokens ?? null,
    outputTokensPerSecond: perSecond?.outputTokens ?? null,
  };
}

async function prepareTurn(
  options: LlamaEngineOptions,
  dialect: ModelDialect,
  request: ChatRequest,
  context: TurnContext,
): Promise<PreparedTurn> {
  const { model, format, template } = dialect;
  const { host } = options;
  refuseEndlessConversation(request, model.contextTokens);
  const rules = readOutputRules(request);
  const needsOutputCheck = !areSchemasExact(rules);
  const prompt = await holdPrompt(host, template.render(request), context.signal);
  try {
    return createLlamaTurn({
      host,
      request,
      context,
      prompt,
      outputTokensMax: fitOutput(request, prompt.tokenCount, {
        windowTokens: model.contextTokens,
        outputTokensDefault: options.defaultOutputTokens,
      }),
      needsOutputCheck,
      grammar: composeGrammar(format, rules),
      createParser: () =>
        format.createParser({
          areCallsExpected: rules.tools.length > 0,
          isCallForced: rules.isCallForced,
        }),
      seed: request.sampling.seed ?? randomInt(2 ** 32),
      idleMsMax: options.idleMsMax ?? idleMsDefault,
    });
  } catch (thrown) {
    prompt.release();
    throw thrown;
  }
}

/**
 * Rendering takes its time for every message, however short, and holds up the whole server. Each is at least one
 * token, so more of them than the window has need no exact count.
 */
function refuseEndlessConversation({ messages }: ChatRequest, windowTokens: number): void {
  if (messages.length > windowTokens) {
    throw windowExceeded({ windowTokens, requested: `at least ${messages.length}` });
  }
}

/** Throws `invalid_schema` for a schema that cannot be used at all. */
function areSchemasExact(rules: OutputRules): boolean {
  const schemas = [...rules.tools, ...(rules.answer === undefined ? [] : [rules.answer])];
  // Each one is analysed, so that the second bad schema is refused too.
  return schemas.map(({ schema, param }) => analyseSchema(schema, { param }).isExact).every(Boolean);
}

function createDialect(model: LoadedModel, systemText: string | undefined): ModelDialect {
  const format = selectToolFormat(model.specialTokens);
  return { model, format, template: createChatTemplate(model, format, systemText) };
}

function describeHealth(host: LlamaHost): { message?: string } {
  const health = host.health();
  return health.state === 'ready' ? {} : { message: `No model is loaded: ${health.detail}` };
}

function describeBacking(options: LlamaEngineOptions): ModelBacking {
  const { model } = options.host;
  return {
    weights: options.weightsName,
    sizeBytes: model?.sizeBytes,
    licence: options.licence,
    contextTokens: model?.contextTokens ?? 0,
    digest: options.digest,
    isSchemaEnforced: true,
  };
}
