/** What the caller may be told about its rate limits, for the headers of an answer. */
export interface RateLimitWindow {
  readonly limit: number;
  /** Never below 0. */
  readonly remaining: number;
  /** Milliseconds until some of what is used comes back; 0 = nothing is used. */
  readonly resetMs: number;
}

/** Of the key's and the account's limits, the one with less left. Undefined = there is no such limit. */
export interface RateLimitState {
  readonly requests: RateLimitWindow | undefined;
  readonly tokens: RateLimitWindow | undefined;
}
