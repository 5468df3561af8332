import { type ReactNode, useEffect, useState } from 'react';
import { CopyButton } from './copy-button.tsx';
import { cx } from './cx.ts';
import type { HighlightedLine } from './highlight-code.ts';

export interface CodeBlockProps {
  readonly code: string;
  /** A language name as in Markdown fences; unknown ones stay plain. */
  readonly language: string;
  /** Shown above the code, such as a file name; without one the bar shows the language. */
  readonly title?: ReactNode;
  /** Left of the copy button. */
  readonly actions?: ReactNode;
  /** CSS height at most; beyond it the code scrolls. */
  readonly maxHeight?: string;
  readonly className?: string;
}

/** Code with colours and a copy button. The text is there at once; the colours follow when their script is loaded. */
export function CodeBlock({ code, language, title, actions, maxHeight, className }: CodeBlockProps) {
  const lines = useHighlighted(code, language);
  return (
    <figure className={cx('min-w-0 overflow-hidden rounded-lg border border-line bg-sunken', className)}>
      <figcaption className="flex h-9 items-center justify-between gap-2 border-b border-line pr-1 pl-3 text-xs text-faint">
        <span className="truncate">{title ?? language}</span>
        <span className="flex items-center gap-1">
          {actions}
          <CopyButton text={code} />
        </span>
      </figcaption>
      <pre
        tabIndex={0}
        className="overflow-auto px-3 py-2.5 font-mono text-xs leading-5 focus-visible:-outline-offset-2"
        style={{ maxHeight }}
      >
        <code>{lines === undefined ? code : <HighlightedCode lines={lines} />}</code>
      </pre>
    </figure>
  );
}

function HighlightedCode({ lines }: { readonly lines: readonly HighlightedLine[] }) {
  return lines.map((tokens, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a line and a token are what stands at their place.
    <span key={row}>
      {tokens.map((token, column) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: as above.
        <span key={column} style={{ color: token.color }}>
          {token.text}
        </span>
      ))}
      {row < lines.length - 1 && '\n'}
    </span>
  ));
}

/** Undefined until the colours are known, or when there are none for this language. */
function useHighlighted(code: string, language: string): readonly HighlightedLine[] | undefined {
  const [result, setResult] = useState<{ code: string; lines: readonly HighlightedLine[] | undefined }>();
  useEffect(() => {
    let isCurrent = true;
    const work = import('./highlight-code.ts').then(({ highlightCode }) => highlightCode(code, language));
    work.then(
      (lines) => isCurrent && setResult({ code, lines }),
      // Without colours the code is as readable; a chunk that cannot be loaded is no reason to lose it.
      () => isCurrent && setResult({ code, lines: undefined }),
    );
    return () => {
      isCurrent = false;
    };
  }, [code, language]);
  return result?.code === code ? result.lines : undefined;
}
