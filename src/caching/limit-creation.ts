import type { RateLimitState } from '../limits/rate-limit-state.ts';
import type { TurnLimiter, TurnToAdmit } from '../limits/turn-limiter.ts';

export type OnRateLimits = (state: RateLimitState) => void;

/**
 * What computing an object takes from the caller's rate limits: a request, a place and its tokens, as a chat with the
 * same prompt. `take` must be called once the tokens are known. What was not begun counts nowhere. Throws ApiError
 * `rate_limit_reached` or `request_exceeds_rate_limit`, and what `begin` throws.
 */
export async function limitCreation<Result>(
  { admitTurn }: { readonly admitTurn?: TurnLimiter['admit'] | undefined },
  turn: TurnToAdmit,
  begin: (take: (tokens: number) => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const admission = await admitTurn?.(turn);
  try {
    const begun = await begin(async (tokens) => await admission?.takeTokens(tokens));
    await admission?.conclude();
    return begun;
  } catch (refusal) {
    await admission?.cancel();
    throw refusal;
  }
}
