/** Messages between the benchmark and its two helpers, the mock upstream and the load generator (both forked). */

/** How the mock upstream answers; a body with `"stream":true` gets events, every other body one JSON object. */
export interface MockBehaviour {
  /** Content events per stream, without the finish event and `[DONE]`. */
  readonly events: number;
  /** 0 = all events at once. */
  readonly intervalMs: number;
  /** True: after the first event the stream stays open and silent until the client leaves. */
  readonly isIdle: boolean;
}

/** Where the load goes: one server under test. */
export interface Target {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type LoadCommand =
  /** `concurrency` callers, each sends its next request as soon as it has its answer. */
  | {
      readonly type: 'closed-loop';
      readonly target: Target;
      readonly body: string;
      readonly concurrency: number;
      readonly requests: number;
    }
  /** `perSecond` requests at fixed times, whether or not earlier ones were answered. */
  | {
      readonly type: 'open-loop';
      readonly target: Target;
      readonly body: string;
      readonly perSecond: number;
      readonly seconds: number;
    }
  /** Opens streams and keeps them open until `release`. */
  | { readonly type: 'hold'; readonly target: Target; readonly body: string; readonly streams: number }
  | { readonly type: 'release' };

export interface LoadResult {
  readonly elapsedMs: number;
  readonly answered: number;
  /** Answers with another status than 200, broken connections and streams that ended without `[DONE]`. */
  readonly failed: number;
  /** Of the first failure, for the report. */
  readonly failure: string | undefined;
  /** `data:` lines over all answers. */
  readonly events: number;
  /** Milliseconds from sending to the first byte of the body, one per request. */
  readonly firstByteMs: readonly number[];
}
