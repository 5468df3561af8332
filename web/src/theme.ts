/** Light, dark, or as the system says. `index.html` applies a stored choice before the first paint. */
import { useSyncExternalStore } from 'react';
import { readPreference, writePreference } from './preferences.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const listeners = new Set<() => void>();

function currentTheme(): Theme {
  const stored = readPreference('theme');
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

/** Applies a theme and remembers it. */
export function setTheme(theme: Theme): void {
  writePreference('theme', theme === 'system' ? undefined : theme);
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The person's choice, not what it comes to: `system` stays `system`. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme);
}
