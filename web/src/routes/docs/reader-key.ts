/** The key that examples are shown with. In memory only: it is gone with the page. */
import { useSyncExternalStore } from 'react';

let key: string | undefined;
const listeners = new Set<() => void>();

export function setReaderKey(next: string | undefined): void {
  key = next === '' ? undefined : next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Undefined: examples name a variable instead. */
export function useReaderKey(): string | undefined {
  return useSyncExternalStore(subscribe, () => key);
}
