import { useSyncExternalStore } from 'react';

/** The `xl` breakpoint: a side bar, a conversation and its settings fit beside each other. */
const query = '(min-width: 1280px)';

function subscribe(listener: () => void): () => void {
  const list = window.matchMedia(query);
  list.addEventListener('change', listener);
  return () => list.removeEventListener('change', listener);
}

/** Whether there is room for a third column. */
export function useIsWide(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}
