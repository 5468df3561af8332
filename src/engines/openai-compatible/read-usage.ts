/** Usage in every form that servers send it. */
import { asCount, asRecord } from './wire-chunk.ts';

export interface UpstreamUsage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

interface WireUsage {
  readonly prompt_tokens?: unknown;
  readonly completion_tokens?: unknown;
  /** Flat: Moonshot. */
  readonly cached_tokens?: unknown;
  /** Nested: OpenAI, vLLM, SGLang. */
  readonly prompt_tokens_details?: unknown;
  /** DeepSeek. */
  readonly prompt_cache_hit_tokens?: unknown;
}

/** Undefined when there is no usable usage. */
export function readUsage(value: unknown): UpstreamUsage | undefined {
  const usage = asRecord<WireUsage>(value);
  if (usage === undefined) return undefined;
  const promptTokens = asCount(usage.prompt_tokens);
  const completionTokens = asCount(usage.completion_tokens);
  if (promptTokens === undefined || completionTokens === undefined) return undefined;
  const details = asRecord<{ readonly cached_tokens?: unknown }>(usage.prompt_tokens_details);
  const cachedTokens =
    asCount(usage.cached_tokens) ??
    asCount(details?.cached_tokens) ??
    asCount(usage.prompt_cache_hit_tokens) ??
    0;
  return { promptTokens, cachedTokens: Math.min(cachedTokens, promptTokens), completionTokens };
}
