/**
 * A flag that native code polls while it computes. llama.cpp calls `abort_callback(data)` between the nodes of a
 * graph, on its own thread, where no JavaScript may run. So the callback is C's `strlen` and `data` is a C string:
 * an empty string is false, a string of one character is true. Only the CPU backend polls it.
 */
import { addressOf, strlenAddress } from './binding.ts';
import type { Pointer } from './native-structs.ts';

export interface AbortFlag {
  readonly callback: Pointer;
  readonly data: Pointer;
  set(isRaised: boolean): void;
}

export function createAbortFlag(): AbortFlag {
  const text = new Uint8Array(new ArrayBuffer(128));
  return {
    callback: strlenAddress(),
    data: addressOf(text),
    set(isRaised) {
      text[0] = isRaised ? 1 : 0;
    },
  };
}
