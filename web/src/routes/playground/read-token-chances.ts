import type { ChatChunk } from '../../api/wire-types.ts';

/** A token of an answer, how likely it was, and what else was likely in its place (the likeliest first). */
export interface TokenChance {
  readonly token: string;
  /** From 0 to 1. */
  readonly probability: number;
  readonly alternatives: readonly { readonly token: string; readonly probability: number }[];
}

/** Of one choice, in the order of the answer; empty when the request asked for no probabilities. */
export function readTokenChances(chunks: readonly ChatChunk[], choiceIndex: number): readonly TokenChance[] {
  return chunks
    .flatMap(({ choices }) => choices)
    .filter(({ index }) => index === choiceIndex)
    .flatMap(({ logprobs }) => logprobs?.content ?? [])
    .map(({ token, logprob, top_logprobs: top }) => ({
      token,
      probability: Math.exp(logprob),
      alternatives: top.map((other) => ({ token: other.token, probability: Math.exp(other.logprob) })),
    }));
}
