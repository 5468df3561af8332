import { createContext, type ReactNode, useContext } from 'react';
import type { Components, ExtraProps } from 'streamdown';
import { CodeBlock } from '../code-block.tsx';
import { cx } from '../cx.ts';
import { Tooltip } from '../tooltip.tsx';

type Hast = NonNullable<ExtraProps['node']>;

export const CitationContext = createContext<readonly { readonly title: string; readonly url: string }[]>([]);

/** Only what leads to a page or a mail program. */
const safeLink = /^(https?:|mailto:)/i;
const citationLink = /^#cite-(\d+)$/;

interface Part {
  readonly children?: ReactNode;
  readonly node?: Hast | undefined;
}

/** Every element of an answer. Headings begin at the second level: the page has the first. */
export const markdownComponents: Components = {
  p: ({ children }: Part) => <p className="my-3 first:mt-0 last:mb-0">{children}</p>,
  h1: ({ children }: Part) => <h2 className="mt-6 mb-2 text-xl font-semibold first:mt-0">{children}</h2>,
  h2: ({ children }: Part) => <h3 className="mt-5 mb-2 text-lg font-semibold first:mt-0">{children}</h3>,
  h3: ({ children }: Part) => <h4 className="mt-4 mb-1.5 font-semibold first:mt-0">{children}</h4>,
  h4: ({ children }: Part) => <h5 className="mt-4 mb-1.5 font-semibold first:mt-0">{children}</h5>,
  h5: ({ children }: Part) => <h6 className="mt-3 mb-1 font-medium first:mt-0">{children}</h6>,
  h6: ({ children }: Part) => <h6 className="mt-3 mb-1 font-medium text-muted first:mt-0">{children}</h6>,
  ul: ({ children }: Part) => <ul className="my-3 list-disc space-y-1 pl-5 marker:text-faint">{children}</ul>,
  ol: ({ children, start }: Part & { readonly start?: number | undefined }) => (
    <ol start={start} className="my-3 list-decimal space-y-1 pl-6 marker:text-faint">
      {children}
    </ol>
  ),
  li: ({ children }: Part) => <li className="pl-0.5">{children}</li>,
  blockquote: ({ children }: Part) => (
    <blockquote className="my-3 border-l-2 border-line-strong pl-3 text-muted">{children}</blockquote>
  ),
  hr: () => <hr className="my-5 border-line" />,
  strong: ({ children }: Part) => <strong className="font-semibold">{children}</strong>,
  a: Anchor,
  img: ({ alt, src }: Part & { readonly alt?: string | undefined; readonly src?: unknown }) => (
    <Anchor href={typeof src === 'string' ? src : undefined}>{alt || String(src)}</Anchor>
  ),
  inlineCode: ({ children }: Part) => (
    <code className="rounded-sm border border-line bg-sunken px-1 py-px font-mono text-[0.86em]">
      {children}
    </code>
  ),
  code: ({ children }: Part) => <code>{children}</code>,
  pre: ({ node }: Part) => <CodeBlock {...readCode(node)} className="my-3" />,
  table: ({ children }: Part) => (
    <div tabIndex={0} role="group" className="my-3 overflow-x-auto rounded-lg border border-line">
      <table className="w-full border-collapse text-sm">{children}</table>
    </div>
  ),
  thead: ({ children }: Part) => <thead className="bg-sunken">{children}</thead>,
  tbody: ({ children }: Part) => <tbody>{children}</tbody>,
  tr: ({ children }: Part) => <tr className="border-b border-line last:border-b-0">{children}</tr>,
  th: ({ children, style }: Part & { readonly style?: React.CSSProperties | undefined }) => (
    <th style={style} className="px-3 py-1.5 text-left font-medium whitespace-nowrap">
      {children}
    </th>
  ),
  td: ({ children, style }: Part & { readonly style?: React.CSSProperties | undefined }) => (
    <td style={style} className="px-3 py-1.5 align-top">
      {children}
    </td>
  ),
};

function Anchor({ href, children }: Part & { readonly href?: string | undefined }) {
  const number = citationLink.exec(href ?? '')?.[1];
  if (number !== undefined) return <Citation number={Number(number)} />;
  // A link that leads nowhere safe is shown with its address, so that nobody wonders what it was.
  if (href === undefined || !safeLink.test(href)) {
    return (
      <span>
        {children}
        {href !== undefined && <span className="text-faint"> ({href})</span>}
      </span>
    );
  }
  return (
    <a
      href={href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      className="text-accent underline decoration-accent/40 underline-offset-2 hover:decoration-accent"
    >
      {children}
    </a>
  );
}

const citationClass =
  'numeric mx-0.5 inline-flex h-4 min-w-4 items-center justify-center rounded-sm bg-accent-soft px-1 align-text-top text-2xs font-medium text-accent';

function Citation({ number }: { readonly number: number }) {
  const source = useContext(CitationContext)[number - 1];
  if (source === undefined) return null;
  const name = `${number}: ${source.title}`;
  return (
    <Tooltip text={source.title}>
      {safeLink.test(source.url) ? (
        <a
          href={source.url}
          target="_blank"
          rel="noopener noreferrer nofollow"
          aria-label={name}
          className={cx(citationClass, 'hover:bg-accent-fill hover:text-on-accent')}
        >
          {number}
        </a>
      ) : (
        // A document of the server's own index has a name, but no address that a browser could open.
        <span role="img" aria-label={name} className={citationClass}>
          {number}
        </span>
      )}
    </Tooltip>
  );
}

/** A fence's language and text, from the tree rather than from rendered children. */
function readCode(node: Hast | undefined): { readonly code: string; readonly language: string } {
  const code = node?.children.find((child) => child.type === 'element' && child.tagName === 'code');
  if (code?.type !== 'element') return { code: '', language: 'text' };
  const names = code.properties.className;
  const classes = Array.isArray(names) ? names.map(String) : [];
  const language = classes.find((name) => name.startsWith('language-'))?.slice('language-'.length) ?? 'text';
  const text = code.children.map((child) => (child.type === 'text' ? child.value : '')).join('');
  return { code: text.replace(/\n$/, ''), language };
}
