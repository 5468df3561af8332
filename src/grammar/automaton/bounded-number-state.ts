/**
 * Recognises a JSON number between bounds, and a multiple of a number if asked. Values are integers scaled by a
 * power of ten; a digit is refused when no continuation can reach a value within the bounds.
 */
import {
  ceilDivide,
  ceilScaled,
  floorDivide,
  floorScaled,
  fractionDigitsOf,
  nextDown,
  nextUp,
} from './scaled-decimal.ts';

export interface NumberBounds {
  readonly isInteger: boolean;
  readonly minimum: number;
  readonly maximum: number;
  readonly isMinimumExclusive: boolean;
  readonly isMaximumExclusive: boolean;
  readonly multiplesOf: readonly number[];
}

export interface NumberMachine {
  /** Digits after the point at most. */
  readonly scale: number;
  readonly unit: bigint;
  /** Inclusive bounds, scaled. */
  readonly low: bigint;
  readonly high: bigint;
  /** Scaled; 1 = any. */
  readonly step: bigint;
  readonly multiplesOf: readonly number[];
}

type Phase = 'start' | 'minus' | 'integer' | 'point' | 'fraction';

export interface BoundedNumberState {
  readonly kind: 'bounded-number';
  readonly machine: NumberMachine;
  readonly phase: Phase;
  readonly isNegative: boolean;
  /** The digits so far as one integer. */
  readonly digits: bigint;
  /** Digits after the point so far. */
  readonly fractionDigits: number;
  readonly isAccepting: boolean;
  readonly canContinue: boolean;
}

/** Up to this many digits before the point where there is no bound on that side. */
const digitsFree = 15;
/** Fraction digits on offer when the bounds need no more. */
const scaleFree = 10;
/** The finest decimal of a double has this many fraction digits. */
const scaleMax = 340;

/** Null = no number lies within the bounds. */
export function createNumberMachine(bounds: NumberBounds): NumberMachine | null {
  const minimum = bounds.isMinimumExclusive ? nextUp(bounds.minimum) : bounds.minimum;
  const maximum = bounds.isMaximumExclusive ? nextDown(bounds.maximum) : bounds.maximum;
  if (!(minimum <= maximum)) return null;
  // An integer that is a multiple of a fraction is a multiple of 1 as well.
  const multiplesOf = bounds.isInteger ? [...bounds.multiplesOf, 1] : bounds.multiplesOf;
  for (const scale of scalesFor(bounds, minimum, maximum)) {
    const unit = 10n ** BigInt(scale);
    const low = Number.isFinite(minimum) ? ceilScaled(minimum, scale) : freeBound(maximum, scale, -1n);
    const high = Number.isFinite(maximum) ? floorScaled(maximum, scale) : freeBound(minimum, scale, 1n);
    const step = multiplesOf.reduce((all, of) => leastCommonMultiple(all, floorScaled(of, scale)), 1n);
    const machine: NumberMachine = { scale, unit, low, high, step, multiplesOf };
    if (findValue(machine, low, high) !== null) return machine;
  }
  return null;
}

function scalesFor(bounds: NumberBounds, minimum: number, maximum: number): readonly number[] {
  if (bounds.isInteger && bounds.multiplesOf.every((of) => Number.isInteger(of))) return [0];
  const needed = [bounds.minimum, bounds.maximum, ...bounds.multiplesOf]
    .filter((value) => Number.isFinite(value))
    .map(fractionDigitsOf);
  const usual = Math.min(scaleMax, Math.max(scaleFree, ...needed.map((digits) => digits + 2)));
  const finest = [minimum, maximum].filter((value) => Number.isFinite(value)).map(fractionDigitsOf);
  return [usual, Math.min(scaleMax, Math.max(usual, ...finest))];
}

/** A bound for the open side: as many digits as are free, or two more than the other bound has. */
function freeBound(other: number, scale: number, sign: bigint): bigint {
  const digits = Number.isFinite(other) ? floorScaled(Math.abs(other), 0).toString().length + 2 : 0;
  const bound = 10n ** BigInt(Math.max(digitsFree, digits)) - 1n;
  const finite = floorScaled(Number.MAX_VALUE, 0);
  return sign * (bound < finite ? bound : finite) * 10n ** BigInt(scale);
}

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y > 0n) [x, y] = [y, x % y];
  return x === 0n ? 1n : (a / x) * b;
}

export const createBoundedNumberState = (machine: NumberMachine): BoundedNumberState =>
  finish({
    kind: 'bounded-number',
    machine,
    phase: 'start',
    isNegative: false,
    digits: 0n,
    fractionDigits: 0,
  });

type Unfinished = Omit<BoundedNumberState, 'isAccepting' | 'canContinue'>;

function finish(state: Unfinished): BoundedNumberState {
  const value = scaledValue(state);
  const isComplete = state.phase === 'integer' || state.phase === 'fraction';
  const isAccepting =
    isComplete &&
    !(state.isNegative && state.digits === 0n) &&
    findValue(state.machine, value, value) !== null;
  return { ...state, isAccepting, canContinue: continuations(state).length > 0 };
}

const scaledValue = (state: Unfinished): bigint => {
  const magnitude = state.digits * 10n ** BigInt(state.machine.scale - state.fractionDigits);
  return state.isNegative ? -magnitude : magnitude;
};

export function stepBoundedNumber(state: BoundedNumberState, code: number): BoundedNumberState | null {
  const next = follow(state, code);
  if (next === null) return null;
  const finished = finish(next);
  return finished.isAccepting || finished.canContinue ? finished : null;
}

function follow(state: BoundedNumberState, code: number): Unfinished | null {
  const { machine, phase } = state;
  if (code === 0x2d) return phase === 'start' ? { ...state, phase: 'minus', isNegative: true } : null;
  if (code === 0x2e) return phase === 'integer' && machine.scale > 0 ? { ...state, phase: 'point' } : null;
  if (code < 0x30 || code > 0x39) return null;
  const digits = state.digits * 10n + BigInt(code - 0x30);
  if (phase === 'start' || phase === 'minus') return { ...state, phase: 'integer', digits };
  if (phase === 'integer') return state.digits === 0n ? null : { ...state, digits };
  if (state.fractionDigits >= machine.scale) return null;
  return { ...state, phase: 'fraction', digits, fractionDigits: state.fractionDigits + 1 };
}

/** `Math.max` has no bigint form. */
function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** A value that some longer text from here stands for. */
interface Continuation {
  readonly value: bigint;
}

/** Values reachable by at least one more character: one per number of further integer digits, fewest first. */
function continuations(state: Unfinished): readonly Continuation[] {
  const { machine } = state;
  if (state.phase === 'start') return searchBoth(machine);
  if (state.phase === 'minus') return search(machine, machine.low, -1n);
  const fraction = machine.scale - state.fractionDigits;
  const base = state.digits * 10n ** BigInt(fraction);
  if (state.phase !== 'integer') {
    if (fraction === 0) return [];
    return searchSigned(state, base, base + 10n ** BigInt(fraction) - 1n);
  }
  const found: Continuation[] = [];
  if (machine.scale > 0) found.push(...searchSigned(state, base, base + machine.unit - 1n));
  if (state.digits === 0n || found.length > 0) return found;
  const limit = larger(machine.high, -machine.low);
  for (let size = 10n; base * size <= limit; size *= 10n) {
    found.push(...searchSigned(state, base * size, (base + machine.unit) * size - 1n));
    if (found.length > 0) break;
  }
  return found;
}

/** Zero and positive values are nearer than negative ones: no sign is needed. */
function searchBoth(machine: NumberMachine): readonly Continuation[] {
  const positive = search(machine, larger(machine.low, 0n), machine.high);
  return positive.length > 0 ? positive : search(machine, machine.low, -1n);
}

function searchSigned(state: Unfinished, from: bigint, to: bigint): readonly Continuation[] {
  if (!state.isNegative) return search(state.machine, from, to);
  // −0 is not offered.
  return search(state.machine, -to, from === 0n ? -1n : -from);
}

function search(machine: NumberMachine, from: bigint, to: bigint): readonly Continuation[] {
  const value = findValue(machine, from, to);
  return value === null ? [] : [{ value }];
}

/** How many multiples are tried when floating point disagrees with exact arithmetic (0.07 / 0.01 ≠ 7). */
const triesMax = 64;

/** An allowed value within the range, with as few significant digits as is easily found. */
function findValue(machine: NumberMachine, from: bigint, to: bigint): bigint | null {
  const low = larger(from, machine.low);
  const high = -larger(-to, -machine.high);
  if (low > high) return null;
  if (low <= 0n && high >= 0n) return 0n;
  if (machine.step === 1n) return findRoundest(machine, low, high);
  const first = ceilDivide(low, machine.step) * machine.step;
  if (first > high) return null;
  const last = floorDivide(high, machine.step) * machine.step;
  const isUpwards = low > 0n;
  for (let i = 0n; i < triesMax; i++) {
    const value = isUpwards ? first + i * machine.step : last - i * machine.step;
    if (value > high || value < low) return null;
    if (isMultiple(machine, value)) return value;
  }
  return null;
}

/** The value nearest to zero among those with the fewest fraction digits. */
function findRoundest(machine: NumberMachine, low: bigint, high: bigint): bigint {
  if (low < 0n) return -findRoundest(machine, -high, -low);
  let found = low;
  for (let size = 10n; size <= machine.unit; size *= 10n) {
    const candidate = ceilDivide(low, size) * size;
    if (candidate > high) break;
    found = candidate;
  }
  return found;
}

/** The test that ajv and most validators make, on doubles. */
function isMultiple(machine: NumberMachine, value: bigint): boolean {
  const double = Number(formatScaled(machine, value));
  return machine.multiplesOf.every((of) => {
    const quotient = double / of;
    return quotient === Number.parseInt(String(quotient), 10);
  });
}

function formatScaled(machine: NumberMachine, value: bigint): string {
  const magnitude = (value < 0n ? -value : value).toString().padStart(machine.scale + 1, '0');
  const split = magnitude.length - machine.scale;
  const fraction = magnitude.slice(split).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${magnitude.slice(0, split)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** A short rest that makes the number valid. */
export function completeBoundedNumber(state: BoundedNumberState): string {
  if (state.isAccepting) return '';
  const [nearest] = continuations(state);
  if (nearest === undefined) return '';
  const text = formatScaled(state.machine, nearest.value);
  const written = writtenText(state);
  if (text.length > written.length) return text.slice(written.length);
  // The value is what is written, followed by zeros that the shortest form leaves out.
  return state.phase === 'point' ? '0' : '';
}

function writtenText(state: BoundedNumberState): string {
  const sign = state.isNegative ? '-' : '';
  if (state.phase === 'start' || state.phase === 'minus') return sign;
  const digits = state.digits.toString().padStart(state.fractionDigits + 1, '0');
  const split = digits.length - state.fractionDigits;
  const point = state.phase === 'integer' ? '' : '.';
  return `${sign}${digits.slice(0, split)}${point}${digits.slice(split)}`;
}
