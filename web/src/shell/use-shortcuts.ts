import { useEffect, useRef } from 'react';

/** `mod+k`, `?`, or two keys after each other: `g p`. `mod` is ⌘ on Apple's systems and Ctrl elsewhere. */
export type Shortcuts = Readonly<Record<string, () => void>>;

const sequenceMs = 1_000;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Runs the shortcuts while the component is shown. Those without `mod` rest while somebody types. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const current = useRef(shortcuts);
  useEffect(() => {
    current.current = shortcuts;
  });
  useEffect(() => {
    let prefix = '';
    let prefixMs = 0;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.altKey) return;
      const hasModifier = event.metaKey || event.ctrlKey;
      if (!hasModifier && isTyping(event.target)) return;
      const key = event.key.toLowerCase();
      const sequence = performance.now() - prefixMs < sequenceMs ? `${prefix} ${key}` : '';
      const name = hasModifier ? `mod+${event.shiftKey ? 'shift+' : ''}${key}` : key;
      const run = current.current[sequence] ?? current.current[name];
      prefix = hasModifier ? '' : key;
      prefixMs = performance.now();
      if (run === undefined) return;
      event.preventDefault();
      prefix = '';
      run();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
