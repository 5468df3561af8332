/**
 * The shape of what upstream servers send back. Every field may be missing or of another type: readers check each
 * one they use, so that no server can make this process throw a TypeError.
 */
export interface WireChunk {
  readonly choices?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
  readonly object?: unknown;
}

export interface WireChoice {
  readonly index?: unknown;
  readonly delta?: unknown;
  /** Instead of `delta` in answers that were not streamed. */
  readonly message?: unknown;
  readonly finish_reason?: unknown;
  readonly logprobs?: unknown;
  /** Moonshot's place for usage. */
  readonly usage?: unknown;
}

export interface WireDelta {
  readonly content?: unknown;
  readonly tool_calls?: unknown;
}

export interface WireToolCall {
  readonly index?: unknown;
  readonly id?: unknown;
  readonly function?: unknown;
}

export interface WireFunction {
  readonly name?: unknown;
  readonly arguments?: unknown;
}

/** A view on an unknown value's fields; undefined for everything that has none. */
export function asRecord<Shape extends { readonly [Field in keyof Shape]?: unknown }>(
  value: unknown,
): Shape | undefined {
  // Every field of the shapes above is `unknown`, so nothing is claimed that is not checked later.
  return typeof value === 'object' && value !== null ? (value as Shape) : undefined;
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A whole number from 0 on. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
