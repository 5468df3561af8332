/**
 * The two maps of the configuration file that say who answers: `engines` (upstream servers that speak OpenAI's
 * chat completions) and `models` (served names). Recipes for each known server: docs/engines.md.
 */
import { z } from 'zod';
import type { OpenAiCompatibleOptions } from './engines/openai-compatible/upstream-options.ts';

/** What an upstream server can do; what it cannot do is refused or made up for, never dropped in silence. */
const capabilitiesSchema = z.strictObject({
  tools: z.boolean().optional(),
  schema_enforced: z.boolean().optional(),
  json_schema: z.boolean().optional(),
  json_object: z.boolean().optional(),
  tool_choice_required: z.boolean().optional(),
  parallel_tool_calls: z.boolean().optional(),
  logprobs: z.boolean().optional(),
  seed: z.boolean().optional(),
  penalties: z.boolean().optional(),
  multiple_choices: z.boolean().optional(),
  partial: z.enum(['moonshot', 'continue', 'prefill', 'echo']).optional(),
  stream_usage: z.boolean().optional(),
  prompt_cache_key: z.boolean().optional(),
  cache_salt: z.boolean().optional(),
  stop_count_max: z.int().min(0).optional(),
  temperature_max: z.number().positive().optional(),
});

const secondsSchema = z.number().positive().max(86_400).optional();

export const engineSettingsSchema = z
  .strictObject({
    kind: z.literal('openai-compatible'),
    /** Address before `/chat/completions`, e.g. `http://127.0.0.1:8000/v1`. */
    base_url: z.url({ protocol: /^https?$/ }),
    api_key: z.string().min(1).optional(),
    /** Environment variable that holds the key, so that the file need not. */
    api_key_env: z.string().min(1).optional(),
    /** The model's name over there. */
    model: z.string().min(1),
    headers: z.record(z.string(), z.string()).optional(),
    weights: z.string().min(1).optional(),
    licence: z.string().min(1).optional(),
    context_tokens: z.int().min(1).optional(),
    capabilities: capabilitiesSchema.optional(),
    timeouts: z
      .strictObject({
        connect_seconds: secondsSchema,
        first_byte_seconds: secondsSchema,
        idle_seconds: secondsSchema,
        total_seconds: secondsSchema,
      })
      .optional(),
    connections_max: z.int().min(1).optional(),
    tool_id_style: z.enum(['kimi', 'as-sent']).optional(),
    tokenizer: z.enum(['vllm', 'llama-server', 'none']).optional(),
    output_tokens_field: z.enum(['max_tokens', 'max_completion_tokens']).optional(),
  })
  .refine((engine) => engine.api_key === undefined || engine.api_key_env === undefined, {
    message: 'give either api_key or api_key_env',
  });

type EngineSettings = z.output<typeof engineSettingsSchema>;

export const modelSettingsSchema = z.strictObject({
  /** `embedded`, or a name of the `engines` map. */
  engine: z.string().min(1),
  aliases: z.array(z.string().min(1)).optional(),
  /** The name that answers carry in `model`; default: the part after the last slash. */
  wire_name: z.string().min(1).optional(),
});

/** What the engine's factory takes, from what the file says: snake_case and seconds end here. */
export function decodeEngineSettings(
  id: string,
  settings: EngineSettings,
  outputTokensDefault: number,
): OpenAiCompatibleOptions {
  const { capabilities: can, timeouts } = settings;
  return {
    id,
    baseUrl: settings.base_url,
    apiKey: settings.api_key,
    upstreamModel: settings.model,
    headers: settings.headers,
    weights: settings.weights,
    licence: settings.licence,
    contextTokens: settings.context_tokens,
    capabilities: {
      tools: can?.tools,
      schemaEnforced: can?.schema_enforced,
      jsonSchema: can?.json_schema,
      jsonObject: can?.json_object,
      toolChoiceRequired: can?.tool_choice_required,
      parallelToolCalls: can?.parallel_tool_calls,
      logprobs: can?.logprobs,
      seed: can?.seed,
      penalties: can?.penalties,
      multipleChoices: can?.multiple_choices,
      partial: can?.partial,
      streamUsage: can?.stream_usage,
      promptCacheKey: can?.prompt_cache_key,
      cacheSalt: can?.cache_salt,
      stopCountMax: can?.stop_count_max,
      temperatureMax: can?.temperature_max,
    },
    timeouts: {
      connectMs: toMilliseconds(timeouts?.connect_seconds),
      firstByteMs: toMilliseconds(timeouts?.first_byte_seconds),
      idleMs: toMilliseconds(timeouts?.idle_seconds),
      totalMs: toMilliseconds(timeouts?.total_seconds),
    },
    connectionsMax: settings.connections_max,
    toolIdStyle: settings.tool_id_style,
    tokenizer: settings.tokenizer,
    outputTokensField: settings.output_tokens_field,
    outputTokensDefault,
  };
}

const toMilliseconds = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1_000;
