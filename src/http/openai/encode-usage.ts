import type { Charge } from '../../billing/meter.ts';
import { formatUsd, toCredits, toUsdNumber } from '../../billing/money.ts';
import type { Usage } from '../../chat/types.ts';

/** Token counts as they stand in answers. */
export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Moonshot's place of the figure; OpenAI's is the next one. Clients read one or the other. */
  readonly cached_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** `completionTokens` replaces the total where the usage of one choice is meant. */
export function encodeUsage(usage: Usage, completionTokens: number = usage.completionTokens): WireUsage {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: completionTokens,
    total_tokens: usage.promptTokens + completionTokens,
    cached_tokens: usage.cachedTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}

export interface WireCost {
  readonly credits_used: number;
  readonly usd_spent: number;
}

/** Credits are rounded half up, for display; the dollars are authoritative. */
export function encodeCost({ costNanoUsd }: Charge): WireCost {
  return { credits_used: Number(toCredits(costNanoUsd)), usd_spent: toUsdNumber(costNanoUsd) };
}

/** The headers of answers that are not streamed. */
export function encodeCostHeaders({ costNanoUsd }: Charge): Record<string, string> {
  return {
    'x-aimlapi-credits-used': String(toCredits(costNanoUsd)),
    'x-aimlapi-usd-spent': formatUsd(costNanoUsd),
  };
}
