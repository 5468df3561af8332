/**
 * Runs a pattern over a text one code point at a time: Thompson's construction, made deterministic lazily. Each
 * state knows how far the nearest match is, so that a text is never led where it can no longer match.
 */
import { anySet, type CharSet, rangesOf } from './char-set.ts';
import { type PatternTree, parsePattern } from './parse-pattern.ts';

/** More would make a single schema cost too much memory; the caller falls back to checking the finished text. */
const positionsMax = 6_000;
/** Deterministic states kept per pattern; beyond it they are made anew each time. */
const statesMax = 10_000;

interface Position {
  readonly set: CharSet | null;
  /** `epsilon` edges that hold only at the start or the end of the text carry that condition. */
  readonly edges: { readonly to: number; readonly condition: 'none' | 'start' | 'end' }[];
  /** Where a character of `set` leads. */
  next: number;
}

/** A set of positions; interned, so identity is equality. */
export interface PatternState {
  /** No other state of the pattern has it, kept or not. */
  readonly id: number;
  readonly positions: readonly number[];
  /** The text may end here. */
  readonly isAccepting: boolean;
  /** Everything that can follow matches too. */
  readonly isUniversal: boolean;
  /** Characters to the nearest match; 0 when accepting. Always finite. */
  readonly distance: number;
  readonly transitions: Map<number, PatternState | null>;
}

export interface PatternAutomaton {
  readonly start: PatternState;
  /** First code points of the classes of characters that the pattern does not tell apart, sorted. */
  readonly classStarts: readonly number[];
  /** Null = nothing that follows could match any more. */
  step(state: PatternState, code: number): PatternState | null;
  /** Whether some text of `min` to `max` characters leads from the state to a match. */
  isFeasible(state: PatternState, min: number, max: number): boolean;
}

/** Undefined = not expressible (see `parsePattern`), or too large. Matches anywhere in the text, as `RegExp.test` does. */
export function createPatternAutomaton(source: string): PatternAutomaton | undefined {
  const tree = parsePattern(source);
  if (tree === undefined) return undefined;
  const positions = buildPositions(tree);
  return positions === undefined ? undefined : createAutomaton(positions);
}

const matchPosition = 0;

function buildPositions(tree: PatternTree): { positions: Position[]; first: number } | undefined {
  const positions: Position[] = [];
  const add = (set: CharSet | null, next: number): number => positions.push({ set, edges: [], next }) - 1;
  const link = (from: number, to: number, condition: 'none' | 'start' | 'end' = 'none'): void => {
    positions[from]?.edges.push({ to, condition });
  };
  /** Builds backwards: returns the position from which `node` and then `next` match. */
  const build = (node: PatternTree, next: number): number => {
    if (positions.length > positionsMax) return next;
    switch (node.type) {
      case 'set':
        return add(node.set, next);
      case 'sequence':
        return node.items.reduceRight((after, item) => build(item, after), next);
      case 'choice': {
        const fork = add(null, -1);
        for (const item of node.items) link(fork, build(item, next));
        return fork;
      }
      case 'start':
      case 'end': {
        const gate = add(null, -1);
        link(gate, next, node.type);
        return gate;
      }
      case 'repeat':
        return buildRepeat(node, next);
      default:
        return node satisfies never;
    }
  };
  const buildRepeat = (node: Extract<PatternTree, { type: 'repeat' }>, next: number): number => {
    let entry = next;
    if (node.max === Infinity) {
      entry = add(null, -1);
      link(entry, next);
      link(entry, build(node.item, entry));
    } else {
      for (let i = node.min; i < node.max && positions.length <= positionsMax; i++) {
        const fork = add(null, -1);
        link(fork, next);
        link(fork, build(node.item, entry));
        entry = fork;
      }
    }
    for (let i = 0; i < node.min && positions.length <= positionsMax; i++) entry = build(node.item, entry);
    return entry;
  };
  // Position 0 accepts and loops: what follows a match is free. A leading loop makes the search unanchored.
  add(anySet, matchPosition);
  const body = build(tree, matchPosition);
  const lead = add(null, -1);
  const loop = add(anySet, lead);
  link(lead, body);
  link(lead, loop);
  return positions.length > positionsMax ? undefined : { positions, first: lead };
}

function createAutomaton(built: { positions: Position[]; first: number }): PatternAutomaton | undefined {
  const { positions } = built;
  const distances = measureDistances(positions);
  const ends = closeBackwards(positions);
  const classStarts = splitAlphabet(positions);
  const interned = new Map<string, PatternState>();
  let nextId = 0;

  const close = (seeds: readonly number[], isAtStart: boolean): number[] => {
    const seen = new Set<number>();
    const todo = [...seeds];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      if (seen.has(at) || (distances[at] === Infinity && !isAtStart)) continue;
      seen.add(at);
      for (const edge of positions[at]?.edges ?? []) {
        if (edge.condition === 'none' || (edge.condition === 'start' && isAtStart)) todo.push(edge.to);
      }
    }
    return [...seen];
  };
  const intern = (closed: readonly number[], isAccepting: boolean): PatternState | null => {
    if (closed.includes(matchPosition)) closed = [matchPosition];
    const kept = closed.filter((at) => isKept(positions, distances, ends, at)).toSorted((a, b) => a - b);
    const distance = isAccepting ? 0 : Math.min(Infinity, ...kept.map((at) => distances[at] ?? Infinity));
    if (distance === Infinity) return null;
    const key = `${kept.join()}${isAccepting}`;
    const known = interned.get(key);
    if (known !== undefined) return known;
    const isUniversal = kept[0] === matchPosition;
    const state = {
      id: nextId++,
      positions: kept,
      isAccepting,
      isUniversal,
      distance,
      transitions: new Map(),
    };
    if (interned.size < statesMax) interned.set(key, state);
    return state;
  };
  const stepClass = (state: PatternState, classIndex: number): PatternState | null => {
    const known = state.transitions.get(classIndex);
    if (known !== undefined) return known;
    const code = classStarts[classIndex] ?? 0;
    const reached = state.positions.filter((at) => hasCode(positions[at]?.set ?? null, code));
    const closed = close(
      reached.map((at) => positions[at]?.next ?? matchPosition),
      false,
    );
    const next = intern(
      closed,
      closed.some((at) => ends.has(at)),
    );
    if (interned.size < statesMax) state.transitions.set(classIndex, next);
    return next;
  };
  const closedStart = close([built.first], true);
  const start = intern(closedStart, acceptsEmpty(positions, built.first));
  if (start === null) return undefined;
  return {
    start,
    classStarts,
    step: (state, code) => (state.isUniversal ? state : stepClass(state, classIndexOf(classStarts, code))),
    isFeasible: createFeasibility(distances, (at) => {
      const position = positions[at];
      if (position === undefined || position.set === null || position.set.length === 0) return [];
      return close([position.next], false).filter((to) => isKept(positions, distances, ends, to));
    }),
  };
}

/** Epsilon positions matter only while closing; a state keeps those that read a character or may end. */
function isKept(
  positions: readonly Position[],
  distances: readonly number[],
  ends: ReadonlySet<number>,
  at: number,
): boolean {
  if (ends.has(at)) return true;
  return positions[at]?.set !== null && distances[at] !== Infinity;
}

/** Positions from which a match needs no more characters, when the text ends here. */
function closeBackwards(positions: readonly Position[]): ReadonlySet<number> {
  const ends = new Set([matchPosition]);
  const before = reverseEdges(positions, ['none', 'end']);
  const todo = [matchPosition];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const from of before[at] ?? []) {
      if (ends.has(from)) continue;
      ends.add(from);
      todo.push(from);
    }
  }
  return ends;
}

function acceptsEmpty(positions: readonly Position[], first: number): boolean {
  const seen = new Set<number>();
  const todo = [first];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    if (at === matchPosition) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const edge of positions[at]?.edges ?? []) todo.push(edge.to);
  }
  return false;
}

function reverseEdges(positions: readonly Position[], conditions: readonly string[]): number[][] {
  const before: number[][] = positions.map(() => []);
  positions.forEach((position, from) => {
    for (const edge of position.edges) if (conditions.includes(edge.condition)) before[edge.to]?.push(from);
  });
  return before;
}

/** Characters from each position (not at the start of the text) to the nearest match; Infinity = none. */
function measureDistances(positions: readonly Position[]): readonly number[] {
  const distances: number[] = positions.map(() => Infinity);
  const byEpsilon = reverseEdges(positions, ['none']);
  const byCharacter: number[][] = positions.map(() => []);
  positions.forEach((position, from) => {
    if (position.set !== null && position.set.length > 0) byCharacter[position.next]?.push(from);
  });
  let layer = [...closeBackwards(positions)];
  for (let distance = 0; layer.length > 0; distance++) {
    const next: number[] = [];
    for (let at = layer.pop(); at !== undefined; at = layer.pop()) {
      if ((distances[at] ?? 0) <= distance) continue;
      distances[at] = distance;
      layer.push(...(byEpsilon[at] ?? []));
      next.push(...(byCharacter[at] ?? []));
    }
    layer = next;
  }
  return distances;
}

function splitAlphabet(positions: readonly Position[]): readonly number[] {
  const starts = new Set([0, 0xd800, 0xe000]);
  for (const set of new Set(positions.map((position) => position.set))) {
    if (set === null) continue;
    for (const [low, high] of rangesOf(set)) {
      starts.add(low);
      starts.add(high + 1);
    }
  }
  return [...starts].filter((start) => start <= 0x10ffff).toSorted((a, b) => a - b);
}

/** Index of the last class that starts at or before the code point. */
export function classIndexOf(classStarts: readonly number[], code: number): number {
  let low = 0;
  let high = classStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((classStarts[middle] ?? 0) <= code) low = middle;
    else high = middle - 1;
  }
  return low;
}

function hasCode(set: CharSet | null, code: number): boolean {
  if (set === null) return false;
  for (let i = 0; i + 1 < set.length; i += 2) {
    if (code < (set[i] ?? 0)) return false;
    if (code <= (set[i + 1] ?? 0)) return true;
  }
  return false;
}

function createFeasibility(
  distances: readonly number[],
  findSuccessors: (position: number) => readonly number[],
): PatternAutomaton['isFeasible'] {
  const known = new Map<string, boolean>();
  const successors = new Map<number, readonly number[]>();
  const successorsOf = (position: number): readonly number[] => {
    let found = successors.get(position);
    if (found === undefined) {
      found = findSuccessors(position);
      successors.set(position, found);
    }
    return found;
  };
  const search = (positions: readonly number[], min: number, max: number): boolean => {
    // Layer k holds the positions after exactly k characters; positions, not states, so that it stays small.
    let layer = new Set(positions);
    for (let k = 1; k <= min && layer.size > 0; k++) {
      layer = new Set([...layer].flatMap((at) => successorsOf(at)));
      for (const at of layer) {
        const distance = distances[at] ?? Infinity;
        if (min - k <= distance && distance <= max - k) return true;
      }
    }
    return false;
  };
  return (state, min, max) => {
    if (min > max || state.distance > max) return false;
    if (min <= state.distance || state.isUniversal) return true;
    const key = `${state.id} ${min} ${max}`;
    let isFound = known.get(key);
    if (isFound === undefined) {
      isFound = search(state.positions, min, max);
      if (known.size < statesMax) known.set(key, isFound);
    }
    return isFound;
  };
}
