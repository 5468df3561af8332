/**
 * Recognises a JSON number without bounds. Digits are limited so that a number ends, stays finite, and parses to
 * what was written closely enough; `JSON.stringify` of ordinary numbers fits within the limits.
 */
import { memoize } from './memoize.ts';

type Phase = 'start' | 'minus' | 'zero' | 'integer' | 'point' | 'fraction' | 'exponent' | 'sign' | 'power';

export interface DecimalState {
  readonly kind: 'decimal';
  readonly phase: Phase;
  /** Digits of the current part. */
  readonly digits: number;
  readonly isInteger: boolean;
  readonly isAccepting: boolean;
  readonly canContinue: boolean;
}

/** 64-bit identifiers have 19 digits. */
const integerDigitsMax = 19;
const fractionDigitsMax = 18;
/** Two digits keep the value far from infinity. */
const powerDigitsMax = 2;

const acceptingPhases: ReadonlySet<Phase> = new Set(['zero', 'integer', 'fraction', 'power']);

const makeState = memoize((key: string): DecimalState => {
  const [phase, digits, kind] = key.split(' ');
  const state = {
    kind: 'decimal' as const,
    phase: phase as Phase, // The keys are made by `stateOf` alone.
    digits: Number(digits),
    isInteger: kind === 'integer',
    isAccepting: acceptingPhases.has(phase as Phase),
    canContinue: true,
  };
  return { ...state, canContinue: [...'0-.e'].some((c) => stepDecimal(state, c.charCodeAt(0)) !== null) };
});

const stateOf = (phase: Phase, digits: number, isInteger: boolean): DecimalState =>
  makeState(`${phase} ${digits} ${isInteger ? 'integer' : 'number'}`);

export const createDecimalState = (isInteger: boolean): DecimalState => stateOf('start', 0, isInteger);

export function stepDecimal(state: DecimalState, code: number): DecimalState | null {
  const isDigit = code >= 0x30 && code <= 0x39;
  const { isInteger, digits } = state;
  const to = (phase: Phase, count = 0): DecimalState => stateOf(phase, count, isInteger);
  switch (state.phase) {
    case 'start':
      if (code === 0x2d) return to('minus');
      return isDigit ? startInteger(code, to) : null;
    case 'minus':
      // An integer −0 would surprise every reader; −0.5 is fine.
      return isDigit && !(isInteger && code === 0x30) ? startInteger(code, to) : null;
    case 'zero':
    case 'integer':
      if (isDigit)
        return state.phase === 'integer' && digits < integerDigitsMax ? to('integer', digits + 1) : null;
      return isInteger ? null : leaveInteger(code, to);
    case 'point':
      return isDigit ? to('fraction', 1) : null;
    case 'fraction':
      if (isDigit) return digits < fractionDigitsMax ? to('fraction', digits + 1) : null;
      return isExponentLetter(code) ? to('exponent') : null;
    case 'exponent':
      if (code === 0x2b || code === 0x2d) return to('sign');
      return isDigit ? to('power', 1) : null;
    case 'sign':
      return isDigit ? to('power', 1) : null;
    case 'power':
      return isDigit && digits < powerDigitsMax ? to('power', digits + 1) : null;
    default:
      return state.phase satisfies never;
  }
}

const isExponentLetter = (code: number): boolean => code === 0x65 || code === 0x45;

const startInteger = (code: number, to: (phase: Phase, count?: number) => DecimalState): DecimalState =>
  code === 0x30 ? to('zero') : to('integer', 1);

function leaveInteger(code: number, to: (phase: Phase) => DecimalState): DecimalState | null {
  if (code === 0x2e) return to('point');
  return isExponentLetter(code) ? to('exponent') : null;
}

/** One digit finishes whatever is begun. */
export function completeDecimal(state: DecimalState): string {
  if (state.isAccepting) return '';
  return state.phase === 'minus' ? '1' : '0';
}
