/**
 * Token counts for upstreams that cannot count. Two figures, because they serve two ends: a hold must be large
 * enough, a charge must be fair.
 */

/**
 * A practical upper bound: two UTF-8 bytes per token. English has four to five, source code about three, Chinese
 * and Japanese three (one character); only random digits and base64 come near two.
 */
export function estimateTokensMax(text: string): number {
  return Math.ceil(Buffer.byteLength(text, 'utf8') / 2);
}

/** The likely figure: four UTF-8 bytes per token. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text, 'utf8') / 4);
}
