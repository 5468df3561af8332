/**
 * What an operator may say about an upstream server. Defaults fit vLLM; the recipes in docs/engines.md name what
 * differs elsewhere.
 */

/** What the upstream can do. What it cannot is refused (`not_supported`) or made up for, never dropped. */
export interface UpstreamCapabilities {
  readonly tools: boolean;
  /** It constrains tool arguments and JSON answers while decoding; false: they are checked and asked again. */
  readonly schemaEnforced: boolean;
  /** `response_format: json_schema`; false: the schema is put into the prompt. */
  readonly jsonSchema: boolean;
  /** `response_format: json_object`; false: said in the prompt. */
  readonly jsonObject: boolean;
  /** `tool_choice: required` and named; false: asked in words and checked. */
  readonly toolChoiceRequired: boolean;
  /** `parallel_tool_calls`; false: calls after the first are cut off here. */
  readonly parallelToolCalls: boolean;
  readonly logprobs: boolean;
  readonly seed: boolean;
  readonly penalties: boolean;
  /** `n`; false: one upstream request per choice. */
  readonly multipleChoices: boolean;
  /** How the last assistant message is continued; undefined: partial mode is refused. */
  readonly partial: PartialStyle | undefined;
  /** `stream_options.include_usage`; false: tokens are estimated unless the upstream sends usage unasked. */
  readonly streamUsage: boolean;
  /** `prompt_cache_key`; false: the hint is not passed on (it never changes an answer). */
  readonly promptCacheKey: boolean;
  /** `cache_salt` (vLLM): what it computed for one account is shared with no other. */
  readonly cacheSalt: boolean;
  /** Most `stop` strings it takes. */
  readonly stopCountMax: number;
  readonly temperatureMax: number;
}

/**
 * `moonshot`: `partial: true` in the message. `continue`: vLLM's and SGLang's `continue_final_message`.
 * `prefill`: a last assistant message is continued without being asked (OpenRouter). `echo`: so too, and it is
 * repeated at the head of the answer (llama-server).
 */
export type PartialStyle = 'moonshot' | 'continue' | 'prefill' | 'echo';

const capabilitiesDefault: UpstreamCapabilities = {
  tools: true,
  schemaEnforced: false,
  jsonSchema: true,
  jsonObject: true,
  toolChoiceRequired: true,
  parallelToolCalls: true,
  logprobs: true,
  seed: true,
  penalties: true,
  multipleChoices: true,
  partial: undefined,
  streamUsage: true,
  promptCacheKey: false,
  cacheSalt: false,
  stopCountMax: 16,
  temperatureMax: 2,
};

export interface UpstreamTimeouts {
  /** Until a connection stands. */
  readonly connectMs: number;
  /** From the request to the first byte of the answer: queueing and prefill happen here. */
  readonly firstByteMs: number;
  /** Between two pieces of an answer. */
  readonly idleMs: number;
  /** The whole answer. */
  readonly totalMs: number;
}

const timeoutsDefault: UpstreamTimeouts = {
  connectMs: 10_000,
  firstByteMs: 300_000,
  idleMs: 120_000,
  totalMs: 3_600_000,
};

/** Undefined fields take their defaults. */
export type Settable<Shape> = { readonly [Field in keyof Shape]?: Shape[Field] | undefined };

export interface OpenAiCompatibleOptions {
  /** The name in the configuration. */
  readonly id: string;
  /** The address before `/chat/completions`, e.g. `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
  /** The model's name over there. */
  readonly upstreamModel: string;
  /** Sent with every request, e.g. an organisation's id. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What to call the weights; default: the model's name over there. */
  readonly weights?: string | undefined;
  readonly licence?: string | undefined;
  /** Window in tokens; default: what the upstream's `/models` says, else 8,192. */
  readonly contextTokens?: number | undefined;
  readonly capabilities?: Settable<UpstreamCapabilities> | undefined;
  readonly timeouts?: Settable<UpstreamTimeouts> | undefined;
  /** Most requests at a time; one connection each. Beyond it: `engine_overloaded`. Default 512. */
  readonly connectionsMax?: number | undefined;
  /** `kimi`: ids of earlier calls become `functions.name:idx`, leaked control tokens are parsed back. */
  readonly toolIdStyle?: 'kimi' | 'as-sent' | undefined;
  /** Which token counter the upstream has beside its API; default: none, prompts are estimated. */
  readonly tokenizer?: 'vllm' | 'llama-server' | 'none' | undefined;
  /** Some hosted models only know `max_completion_tokens`. Default `max_tokens`. */
  readonly outputTokensField?: 'max_tokens' | 'max_completion_tokens' | undefined;
  /** When the caller names none. Default 1,024. */
  readonly outputTokensDefault?: number | undefined;
  /** Pause between looks at a healthy upstream; default 30 s. A failing one is looked at sooner. */
  readonly probeIntervalMs?: number | undefined;
}

export interface Upstream {
  readonly id: string;
  readonly baseUrl: URL;
  readonly apiKey: string | undefined;
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly weights: string;
  readonly licence: string | undefined;
  readonly contextTokens: number | undefined;
  readonly capabilities: UpstreamCapabilities;
  readonly timeouts: UpstreamTimeouts;
  readonly connectionsMax: number;
  readonly toolIdStyle: 'kimi' | 'as-sent';
  readonly tokenizer: 'vllm' | 'llama-server' | 'none';
  readonly outputTokensField: 'max_tokens' | 'max_completion_tokens';
  readonly outputTokensDefault: number;
  readonly probeIntervalMs: number;
}

/** Fills in the defaults. Throws a TypeError when `baseUrl` is no URL. */
export function resolveUpstream(options: OpenAiCompatibleOptions): Upstream {
  return {
    id: options.id,
    baseUrl: new URL(options.baseUrl),
    apiKey: options.apiKey,
    model: options.upstreamModel,
    headers: options.headers ?? {},
    weights: options.weights ?? options.upstreamModel,
    licence: options.licence,
    contextTokens: options.contextTokens,
    capabilities: withDefaults(capabilitiesDefault, options.capabilities),
    timeouts: withDefaults(timeoutsDefault, options.timeouts),
    connectionsMax: options.connectionsMax ?? 512,
    toolIdStyle: options.toolIdStyle ?? (/kimi/i.test(options.upstreamModel) ? 'kimi' : 'as-sent'),
    tokenizer: options.tokenizer ?? 'none',
    outputTokensField: options.outputTokensField ?? 'max_tokens',
    outputTokensDefault: options.outputTokensDefault ?? 1024,
    probeIntervalMs: options.probeIntervalMs ?? 30_000,
  };
}

/** Spreading would let an explicit `undefined` hide a default. */
function withDefaults<Shape extends object>(defaults: Shape, given: Settable<Shape> | undefined): Shape {
  const entries = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(entries) };
}
