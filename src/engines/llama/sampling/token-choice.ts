import { type BlockDraw, createBlockDraw } from './block-draw.ts';
import { createLogitScan, type LogitScan } from './logit-scan.ts';
import { createNucleus, type Nucleus } from './nucleus.ts';
import type { TokenSet } from './vocabulary-index.ts';

/** Refusals by a constraint before the whole vocabulary is checked at once. */
const missesMax = 16;
/** The same where most tokens are allowed: checking them all would take longer than refusing the few. */
const broadMissesMax = 1024;

/** What the constraint in force says about tokens; absent = everything is allowed. */
export interface TokenFilter {
  allows(token: number): boolean;
  /** Many tokens are allowed, as inside a string: they are found sooner by trying than by checking them all. */
  isBroad(): boolean;
  /** All allowed tokens; undefined when they are not known yet. */
  knownSet(): TokenSet | undefined;
  /** All allowed tokens, found out now if need be. */
  findSet(): TokenSet;
}

/** Buffers of one vocabulary size; sampling is synchronous, so every sampler of a process can share them. */
export interface Scratch {
  readonly scan: LogitScan;
  readonly blockDraw: BlockDraw;
  readonly nucleus: Nucleus;
  readonly maskedRow: Float32Array;
}

export interface DrawOptions {
  /** Above 0. */
  readonly temperature: number;
  readonly topP: number;
  readonly random: () => number;
}

export function createScratch(vocabularySize: number): Scratch {
  const scan = createLogitScan(vocabularySize);
  return {
    scan,
    blockDraw: createBlockDraw(scan),
    nucleus: createNucleus(scan, vocabularySize),
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
  return (
    tryUntilAllowed(scan, filter, () =>
      scan.highest() === Number.NEGATIVE_INFINITY ? undefined : scan.best(),
    ) ?? chooseAmongAllowed(scratch, logits, filter, () => scan.best())
  );
}

/**
 * A token drawn after temperature from the nucleus of `topP`. With a filter the distribution is the nucleus
 * restricted to allowed tokens and renormalised; where the nucleus holds none, the nucleus of the allowed
 * tokens alone (in broad places: of all that were not refused yet). Drawing again without the refused tokens
 * gives exactly that and nearly always ends at once.
 */
export function drawToken(
  scratch: Scratch,
  logits: Float32Array,
  filter: TokenFilter | undefined,
  options: DrawOptions,
): number {
  scratch.scan.read(logits);
  return options.topP < 1
    ? drawFromNucleus(scratch, logits, filter, options)
    : drawFromAll(scratch, logits, filter, options);
}

function drawFromAll(
  scratch: Scratch,
  logits: Float32Array,
  filter: TokenFilter | undefined,
  { temperature, random }: DrawOptions,
): number {
  const { scan, blockDraw } = scratch;
  blockDraw.prepare(temperature);
  const drawn = tryUntilAllowed(scan, filter, () => {
    if (filter !== undefined) blockDraw.refresh();
    return blockDraw.draw(random);
  });
  if (drawn !== undefined) return drawn;
  return chooseAmongAllowed(scratch, logits, filter, () => {
    blockDraw.prepare(temperature);
    return blockDraw.draw(random);
  });
}

function drawFromNucleus(
  scratch: Scratch,
  logits: Float32Array,
  filter: TokenFilter | undefined,
  { temperature, topP, random }: DrawOptions,
): number {
  const { scan, nucleus } = scratch;
  nucleus.fill(temperature, topP);
  const drawn = tryUntilAllowed(scan, filter, () => {
    nucleus.rejectDrawn();
    const token = nucleus.draw(random());
    if (token !== undefined || filter === undefined || !filter.isBroad()) return token;
    nucleus.fill(temperature, topP);
    return nucleus.draw(random());
  });
  if (drawn !== undefined) return drawn;
  if (filter !== undefined) {
    nucleus.restrict(filter.findSet().has);
    const token = nucleus.draw(random());
    if (token !== undefined) return token;
  }
  return chooseAmongAllowed(scratch, logits, filter, () => {
    nucleus.fill(temperature, topP);
    return nucleus.draw(random());
  });
}

/**
 * Asks for tokens until one is allowed; refused ones are at −∞ meanwhile. Undefined when it is better to check
 * the whole vocabulary: after many misses, or when the allowed tokens are known already.
 */
function tryUntilAllowed(
  scan: LogitScan,
  filter: TokenFilter | undefined,
  next: () => number | undefined,
): number | undefined {
  if (filter === undefined) return next();
  const { row } = scan;
  const refused = new Map<number, number>();
  try {
    while (refused.size < missesMax || (refused.size < broadMissesMax && filter.isBroad())) {
      const token = next();
      if (token === undefined) return undefined;
      if (filter.allows(token)) return token;
      if (filter.knownSet() !== undefined) return undefined;
      refused.set(token, row[token] ?? Number.NaN);
      row[token] = Number.NEGATIVE_INFINITY;
      scan.refresh(token);
    }
    return undefined;
  } finally {
    for (const [token, logit] of refused) row[token] = logit;
  }
}

/** Chooses with every token that is not allowed at −∞. Throws when nothing is left. */
function chooseAmongAllowed(
  scratch: Scratch,
  logits: Float32Array,
  filter: TokenFilter | undefined,
  choose: () => number | undefined,
): number {
  const { scan, maskedRow } = scratch;
  if (filter === undefined) throw new Error('No token is left to choose from.');
  maskedRow.fill(Number.NEGATIVE_INFINITY);
  for (const token of filter.findSet().tokens) maskedRow[token] = logits[token] ?? Number.NaN;
  scan.read(maskedRow);
  const token = choose();
  if (token === undefined) throw new Error('No token is left to choose from.');
  return token;
}
