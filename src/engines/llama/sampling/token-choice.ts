import type { TokenSet } from './allowed-tokens.ts';
import { type Candidates, createCandidates } from './candidates.ts';
import { createLogitScan, type LogitScan } from './logit-scan.ts';

/** Refusals by a constraint before the whole vocabulary is checked at once. */
const missesMax = 16;

/** What the constraint in force says about tokens; absent = everything is allowed. */
export interface TokenFilter {
  allows(token: number): boolean;
  /** All allowed tokens, when they are known already or `isNeeded`. */
  allowedSet(isNeeded: boolean): TokenSet | undefined;
}

/** Buffers of one vocabulary size; sampling is synchronous, so every sampler of a process can share them. */
export interface Scratch {
  readonly scan: LogitScan;
  readonly candidates: Candidates;
  readonly maskedRow: Float32Array;
}

export function createScratch(vocabularySize: number): Scratch {
  return {
    scan: createLogitScan(vocabularySize),
    candidates: createCandidates(vocabularySize),
    maskedRow: new Float32Array(vocabularySize),
  };
}

/**
 * The likeliest token that the filter allows. Candidates are tried best first; the row is left unchanged.
 * Throws when nothing is allowed.
 */
export function chooseBest(scratch: Scratch, logits: Float32Array, filter: TokenFilter | undefined): number {
  const { scan } = scratch;
  scan.read(logits);
  const best = scan.best();
  if (filter === undefined || filter.allows(best)) return best;
  const refused = new Map<number, number>();
  try {
    let token = best;
    while (refused.size < missesMax) {
      const allowed = filter.allowedSet(false);
      if (allowed !== undefined) break;
      refused.set(token, logits[token] ?? 0);
      logits[token] = Number.NEGATIVE_INFINITY;
      scan.refresh(token);
      token = scan.best();
      if (filter.allows(token)) return token;
    }
  } finally {
    for (const [token, logit] of refused) logits[token] = logit;
  }
  scanAllowed(scratch, logits, filter);
  return scan.best();
}

export interface DrawOptions {
  /** Above 0. */
  readonly temperature: number;
  readonly topP: number;
  readonly random: () => number;
}

/**
 * A token drawn after temperature from the nucleus of `topP`. With a filter the distribution is the nucleus
 * restricted to allowed tokens and renormalised; where the nucleus holds none, the nucleus of the allowed
 * tokens alone. Drawing again without the refused tokens gives exactly that and nearly always ends at once.
 */
export function drawToken(
  scratch: Scratch,
  logits: Float32Array,
  filter: TokenFilter | undefined,
  options: DrawOptions,
): number {
  const { scan, candidates } = scratch;
  const { temperature, topP, random } = options;
  scan.read(logits);
  candidates.fill(scan, temperature, topP);
  for (let misses = 0; misses < missesMax; misses++) {
    const token = candidates.draw(random());
    if (token === undefined) break;
    if (filter === undefined || filter.allows(token)) return token;
    candidates.rejectDrawn();
    if (filter.allowedSet(false) !== undefined) break;
  }
  const allowed = filter?.allowedSet(true);
  if (filter === undefined || allowed === undefined) {
    throw new Error('No token is left to draw from.');
  }
  candidates.restrict(allowed.has);
  const restricted = candidates.draw(random());
  if (restricted !== undefined) return restricted;
  scanAllowed(scratch, logits, filter);
  candidates.fill(scan, temperature, topP);
  const token = candidates.draw(random());
  if (token === undefined) throw new Error('No token is left to draw from.');
  return token;
}

/** Reads the row into the scan with every token that is not allowed at −∞. */
function scanAllowed(scratch: Scratch, logits: Float32Array, filter: TokenFilter): void {
  const { scan, maskedRow } = scratch;
  const allowed = filter.allowedSet(true);
  if (allowed === undefined) throw new Error('The set of allowed tokens is unknown.');
  maskedRow.fill(Number.NEGATIVE_INFINITY);
  for (const token of allowed.tokens) maskedRow[token] = logits[token] ?? Number.NaN;
  scan.read(maskedRow);
}
