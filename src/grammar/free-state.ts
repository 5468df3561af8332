/** The free part of a `triggered` grammar: watches for the trigger and constrains nothing until it appears. */
import type { CompiledGrammar, ConstraintState } from './constraint.ts';

export type Trigger =
  | { readonly type: 'literal'; readonly bytes: Uint8Array }
  | { readonly type: 'special'; readonly token: string };

/** `then` is what must follow the trigger; `reserved` are the special tokens that may not come before it. */
export function createFreeState(
  trigger: Trigger,
  then: CompiledGrammar,
  reserved: ReadonlySet<string>,
): ConstraintState {
  const watched = trigger.type === 'literal' ? trigger.bytes : new Uint8Array();
  const fallbacks = measureFallbacks(watched);
  /** `matched` = bytes of the trigger that the text ends with. */
  const createAt = (matched: number): ConstraintState => {
    const state: ConstraintState = {
      advance: (bytes) => {
        let at = matched;
        for (const [index, byte] of bytes.entries()) {
          if (watched.length === 0) return state;
          while (at > 0 && watched[at] !== byte) at = fallbacks[at - 1] ?? 0;
          if (watched[at] === byte) at++;
          if (at === watched.length) return then.start().advance(bytes.subarray(index + 1));
        }
        return at === matched ? state : stateAt(at);
      },
      advanceSpecial: (token) => {
        if (trigger.type === 'special' && token === trigger.token) return then.start();
        return reserved.has(token) ? null : stateAt(0);
      },
      canEnd: true,
      mustEnd: false,
      isConstraining: matched > 0,
      shortestCompletion: () => [],
      key: `free ${matched}`,
    };
    return state;
  };
  const states: ConstraintState[] = [];
  const stateAt = (matched: number): ConstraintState => {
    const state = states[matched] ?? createAt(matched);
    states[matched] = state;
    return state;
  };
  return stateAt(0);
}

/** Knuth, Morris, Pratt: how much of the trigger is still matched after a mismatch at each place. */
function measureFallbacks(bytes: Uint8Array): readonly number[] {
  const fallbacks = [0];
  let matched = 0;
  for (let i = 1; i < bytes.length; i++) {
    while (matched > 0 && bytes[matched] !== bytes[i]) matched = fallbacks[matched - 1] ?? 0;
    if (bytes[matched] === bytes[i]) matched++;
    fallbacks.push(matched);
  }
  return fallbacks;
}
