/**
 * The two maps of the configuration file that say who answers: `engines` (upstream servers that speak OpenAI's
 * chat completions) and `models` (served names). Recipes for each known server: docs/engines.md.
 */
import { z } from 'zod';

/** What an upstream server can do; what it cannot do is refused or made up for, never dropped in silence. */
const capabilitiesSchema = z.strictObject({
  tools: z.boolean().optional(),
  /** The upstream constrains tool arguments and `json_schema` answers while decoding. */
  schema_enforced: z.boolean().optional(),
  json_schema: z.boolean().optional(),
  json_object: z.boolean().optional(),
  tool_choice_required: z.boolean().optional(),
  parallel_tool_calls: z.boolean().optional(),
  logprobs: z.boolean().optional(),
  seed: z.boolean().optional(),
  multiple_choices: z.boolean().optional(),
  partial: z.boolean().optional(),
  stream_usage: z.boolean().optional(),
});

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
    context_tokens: z.int().min(1).optional(),
    weights: z.string().optional(),
    licence: z.string().optional(),
    connections_max: z.int().min(1).optional(),
    timeout_seconds: z.number().positive().optional(),
    capabilities: capabilitiesSchema.optional(),
  })
  .refine((engine) => engine.api_key === undefined || engine.api_key_env === undefined, {
    message: 'give either api_key or api_key_env',
  });

export type EngineSettings = z.output<typeof engineSettingsSchema>;

export const modelSettingsSchema = z.strictObject({
  /** `embedded`, or a name of the `engines` map. */
  engine: z.string().min(1),
  aliases: z.array(z.string().min(1)).optional(),
  /** The name that answers carry in `model`; default: the part after the last slash. */
  wire_name: z.string().min(1).optional(),
});

export type ModelSettings = z.output<typeof modelSettingsSchema>;
