/**
 * Recognises one JSON string, quotes included. Length bounds, pattern and guard judge the decoded characters, so
 * escapes make no difference. A character is refused as soon as nothing that follows could make the string valid.
 */
import { classIndexOf, type PatternAutomaton, type PatternState } from '../pattern/pattern-automaton.ts';

export interface StringMachine {
  /** In code points, as JSON Schema counts. */
  readonly lengthMin: number;
  readonly lengthMax: number;
  readonly pattern: PatternAutomaton | null;
  /** Judges the whole decoded text when it is to be closed; null = everything goes. */
  readonly guard: ((text: string) => boolean) | null;
  /** The decoded text is wanted (keys). */
  readonly isTextKept: boolean;
}

type Phase = 'open' | 'body' | 'escape' | 'hex' | 'low-backslash' | 'low-u' | 'done';

export interface StringState {
  readonly kind: 'string';
  readonly machine: StringMachine;
  readonly phase: Phase;
  /** Characters so far; stops counting at `lengthMin` when there is no maximum, so that states recur. */
  readonly count: number;
  readonly pattern: PatternState | null;
  /** Decoded so far; empty unless the machine keeps it. */
  readonly text: string;
  /** Value and number of the hex digits read after `\u`. */
  readonly hexValue: number;
  readonly hexDigits: number;
  /** A high surrogate that waits for its low one, else 0. */
  readonly highSurrogate: number;
  readonly isAccepting: boolean;
  readonly canContinue: boolean;
}

const simpleEscapes: ReadonlyMap<number, number> = new Map(
  [...'"\\/']
    .map((c) => [c.charCodeAt(0), c.charCodeAt(0)] as const)
    .concat([
      [0x62, 0x08],
      [0x66, 0x0c],
      [0x6e, 0x0a],
      [0x72, 0x0d],
      [0x74, 0x09],
    ]),
);

/** Null = no string satisfies the machine. */
export function createStringState(machine: StringMachine): StringState | null {
  const state: StringState = {
    kind: 'string',
    machine,
    phase: 'open',
    count: 0,
    pattern: machine.pattern?.start ?? null,
    text: '',
    hexValue: 0,
    hexDigits: 0,
    highSurrogate: 0,
    isAccepting: false,
    canContinue: true,
  };
  const body: StringState = { ...state, phase: 'body' };
  return isLive(body) ? state : null;
}

export function stepString(state: StringState, code: number): StringState | null {
  switch (state.phase) {
    case 'body':
      if (code === 0x22) return close(state);
      if (code === 0x5c) return canDeliver(state, 0, 0x10ffff) ? { ...state, phase: 'escape' } : null;
      return code < 0x20 ? null : deliver(state, code);
    case 'open':
      return code === 0x22 ? { ...state, phase: 'body' } : null;
    case 'escape': {
      if (code === 0x75) return { ...state, phase: 'hex', hexValue: 0, hexDigits: 0 };
      const meant = simpleEscapes.get(code);
      return meant === undefined ? null : deliver(state, meant);
    }
    case 'hex':
      return stepHex(state, code);
    case 'low-backslash':
      return code === 0x5c ? { ...state, phase: 'low-u' } : null;
    case 'low-u':
      return code === 0x75 ? { ...state, phase: 'hex', hexValue: 0, hexDigits: 0 } : null;
    case 'done':
      return null;
    default:
      return state.phase satisfies never;
  }
}

/** Whether some code point of the range can follow as it stands (raw, not as part of an escape). */
export function acceptsStringRange(state: StringState, low: number, high: number): boolean {
  return state.phase === 'body' && canDeliver(state, low, high);
}

function close(state: StringState): StringState | null {
  const { machine } = state;
  if (state.count < machine.lengthMin || state.pattern?.isAccepting === false) return null;
  if (machine.guard !== null && !machine.guard(state.text)) return null;
  return { ...state, phase: 'done', isAccepting: true, canContinue: false };
}

function deliver(state: StringState, code: number): StringState | null {
  const { machine } = state;
  if (state.phase === 'body' && isFree(state)) return state;
  const pattern = state.pattern === null ? null : (machine.pattern?.step(state.pattern, code) ?? null);
  if (state.pattern !== null && pattern === null) return null;
  const isCountOver = machine.lengthMax === Infinity && state.count >= machine.lengthMin;
  const next: StringState = {
    kind: 'string',
    machine,
    phase: 'body',
    count: isCountOver ? state.count : state.count + 1,
    pattern,
    text: machine.isTextKept ? state.text + String.fromCodePoint(code) : '',
    hexValue: 0,
    hexDigits: 0,
    highSurrogate: 0,
    isAccepting: false,
    canContinue: true,
  };
  return isLive(next) ? next : null;
}

/** Any character leads back to the very same state. */
function isFree(state: StringState): boolean {
  const { machine } = state;
  return (
    machine.lengthMax === Infinity &&
    state.count >= machine.lengthMin &&
    !machine.isTextKept &&
    (state.pattern === null || state.pattern.isUniversal)
  );
}

function isLive(state: StringState): boolean {
  const { machine } = state;
  const min = Math.max(0, machine.lengthMin - state.count);
  const max = machine.lengthMax - state.count;
  if (min > max || max < 0) return false;
  if (state.pattern !== null && machine.pattern?.isFeasible(state.pattern, min, max) !== true) return false;
  if (machine.guard === null || (state.pattern === null && machine.lengthMax === Infinity)) return true;
  return findAvoidingRest(state) !== undefined;
}

/** Whether some scalar value of the range, delivered to the body, keeps the string alive. */
function canDeliver(state: StringState, low: number, high: number): boolean {
  const body: StringState = state.phase === 'body' ? state : { ...state, phase: 'body' };
  const starts = body.machine.pattern?.classStarts ?? [0, 0xd800, 0xe000];
  for (let i = classIndexOf(starts, low); i < starts.length; i++) {
    const start = Math.max(starts[i] ?? 0, low);
    if (start > high) return false;
    if ((start < 0xd800 || start > 0xdfff) && deliver(body, start) !== null) return true;
  }
  return false;
}

function stepHex(state: StringState, code: number): StringState | null {
  const digit = hexDigit(code);
  if (digit < 0) return null;
  const hexValue = state.hexValue * 16 + digit;
  const hexDigits = state.hexDigits + 1;
  if (hexDigits < 4) {
    const next = { ...state, hexValue, hexDigits };
    return isHexLive(next) ? next : null;
  }
  if (state.highSurrogate > 0) {
    const isLow = hexValue >= 0xdc00 && hexValue <= 0xdfff;
    return isLow ? deliver(state, astral(state.highSurrogate, hexValue)) : null;
  }
  if (hexValue < 0xd800 || hexValue > 0xdfff) return deliver(state, hexValue);
  if (hexValue > 0xdbff || !canDeliver(state, astral(hexValue, 0xdc00), astral(hexValue, 0xdfff)))
    return null;
  return { ...state, phase: 'low-backslash', highSurrogate: hexValue, hexValue: 0, hexDigits: 0 };
}

const astral = (high: number, low: number): number => 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);

/** Whether the digits so far can become an escape that keeps the string alive. */
function isHexLive(state: StringState): boolean {
  const size = 16 ** (4 - state.hexDigits);
  const low = state.hexValue * size;
  const high = low + size - 1;
  const lowMin = Math.max(low, 0xdc00);
  const lowMax = Math.min(high, 0xdfff);
  if (state.highSurrogate > 0) {
    const { highSurrogate } = state;
    return (
      lowMin <= lowMax && canDeliver(state, astral(highSurrogate, lowMin), astral(highSurrogate, lowMax))
    );
  }
  if (low < 0xd800 && canDeliver(state, low, Math.min(high, 0xd7ff))) return true;
  if (high > 0xdfff && canDeliver(state, Math.max(low, 0xe000), high)) return true;
  const highMin = Math.max(low, 0xd800);
  const highMax = Math.min(high, 0xdbff);
  return highMin <= highMax && canDeliver(state, astral(highMin, 0xdc00), astral(highMax, 0xdfff));
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** A short text that finishes the string. */
export function completeString(state: StringState): string {
  switch (state.phase) {
    case 'done':
      return '';
    case 'open':
      return `"${completeBody({ ...state, phase: 'body' })}`;
    case 'body':
      return completeBody(state);
    default:
      return completeEscape(state);
  }
}

const escapeAlphabet = '"\\/bfnrtu0123456789abcdef';

/** Depth first through at most a dozen characters that end an escape; every state on the way is live. */
function completeEscape(state: StringState): string {
  for (const character of escapeAlphabet) {
    const next = stepString(state, character.charCodeAt(0));
    if (next === null) continue;
    return character + completeString(next);
  }
  return '';
}

function completeBody(state: StringState): string {
  const { machine } = state;
  if (machine.guard !== null) return `${findAvoidingRest(state) ?? ''}"`;
  let text = '';
  let at = state;
  while (close(at) === null) {
    const found = nearestCharacter(at);
    if (found === undefined) return text;
    text += encodeCharacter(found.code);
    at = found.next;
  }
  return `${text}"`;
}

/** The character after which the end is nearest. */
function nearestCharacter(state: StringState): { code: number; next: StringState } | undefined {
  let best: { code: number; next: StringState } | undefined;
  let bestDistance = Infinity;
  for (const code of representatives(state.machine, 1)) {
    const next = deliver(state, code);
    if (next === null) continue;
    const distance = Math.max(next.machine.lengthMin - next.count, next.pattern?.distance ?? 0);
    if (distance < bestDistance) {
      best = { code, next };
      bestDistance = distance;
    }
  }
  return best;
}

const preferredCharacters = [...'aA0 -_.:/@x1bcdefghijklmnopqrstuvwyz'].map((c) => c.charCodeAt(0));

/** Up to `count` characters of every class, printable ones first. */
function representatives(machine: StringMachine, count: number): readonly number[] {
  if (machine.pattern === null) return preferredCharacters.slice(0, count * 36);
  const starts = machine.pattern.classStarts;
  const perClass = new Map<number, number>();
  const codes: number[] = [];
  const offer = (code: number): void => {
    const index = classIndexOf(starts, code);
    const used = perClass.get(index) ?? 0;
    if (used >= count || (code >= 0xd800 && code <= 0xdfff)) return;
    perClass.set(index, used + 1);
    codes.push(code);
  };
  for (const code of preferredCharacters) offer(code);
  starts.forEach((start, i) => {
    const end = starts[i + 1] ?? 0x110000;
    for (let code = Math.max(start, Math.min(0x20, end - 1)); code < Math.min(end, start + count); code++)
      offer(code);
    offer(start);
  });
  return codes;
}

/** Escapes a character as JSON requires. */
const encodeCharacter = (code: number): string => JSON.stringify(String.fromCodePoint(code)).slice(1, -1);

/** Breadth first for a rest that the guard lets pass; gives up (undefined) after a bounded search. */
function findAvoidingRest(state: StringState): string | undefined {
  const { machine } = state;
  const unguarded: StringMachine = { ...machine, guard: null };
  let layer = [{ at: { ...state, machine: unguarded, phase: 'body' as const }, rest: '' }];
  for (let visits = 0; layer.length > 0 && visits < 400; ) {
    const next: typeof layer = [];
    for (const { at, rest } of layer) {
      if (++visits > 400) break;
      if (close(at) !== null && machine.guard?.(at.text) !== false) return rest;
      if (next.length > 400) continue;
      for (const code of representatives(unguarded, 4)) {
        const reached = deliver(at, code);
        if (reached !== null)
          next.push({ at: { ...reached, phase: 'body' }, rest: rest + encodeCharacter(code) });
      }
    }
    layer = next;
  }
  return undefined;
}
