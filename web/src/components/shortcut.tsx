import { cx } from './cx.ts';

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

/** `mod+k` as this system writes it: `⌘K`, or `Ctrl K`. */
export function describeShortcut(keys: string): string {
  return keys
    .split('+')
    .map((key) => {
      if (key === 'mod') return isApple ? '⌘' : 'Ctrl';
      if (key === 'shift') return isApple ? '⇧' : 'Shift';
      if (key === 'enter') return '↵';
      if (key === 'escape') return 'Esc';
      return key.toUpperCase();
    })
    .join(isApple ? '' : ' ');
}

/** A keyboard shortcut, written small. */
export function Shortcut({
  keys,
  isInverse = false,
}: {
  readonly keys: string;
  readonly isInverse?: boolean;
}) {
  return (
    <kbd className={cx('font-sans text-2xs whitespace-nowrap', isInverse ? 'opacity-75' : 'text-faint')}>
      {describeShortcut(keys)}
    </kbd>
  );
}
