import type { Charge } from '../../billing/meter.ts';
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

const nanoUsdPerUsd = 1_000_000_000n;
const nanoUsdPerCredit = 500n;

export interface WireCost {
  readonly credits_used: number;
  readonly usd_spent: number;
}

/** Credits are rounded half up, dollars are exact: nano-dollars are their ninth decimal. */
export function encodeCost({ costNanoUsd }: Charge): WireCost {
  return { credits_used: Number(creditsOf(costNanoUsd)), usd_spent: Number(formatUsd(costNanoUsd)) };
}

/** The headers of answers that are not streamed. */
export function encodeCostHeaders({ costNanoUsd }: Charge): Record<string, string> {
  return {
    'x-aimlapi-credits-used': String(creditsOf(costNanoUsd)),
    'x-aimlapi-usd-spent': formatUsd(costNanoUsd),
  };
}

function creditsOf(nanoUsd: bigint): bigint {
  return (nanoUsd + nanoUsdPerCredit / 2n) / nanoUsdPerCredit;
}

/** US dollars with nine decimals. */
function formatUsd(nanoUsd: bigint): string {
  return `${nanoUsd / nanoUsdPerUsd}.${String(nanoUsd % nanoUsdPerUsd).padStart(9, '0')}`;
}
