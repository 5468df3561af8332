/**
 * A model's answer as text with structure. Nothing in it is trusted: markup stays text, links lead only to the web and
 * carry no referrer, pictures are named and not loaded, since loading one would tell another host what was read.
 */
import { lazy, memo, Suspense } from 'react';

export interface MarkdownProps {
  readonly text: string;
  /** Half-written structure is completed while more is to come. */
  readonly isStreaming?: boolean;
  /** Titles of the sources that `#cite-<number>` links name, first is 1. */
  readonly citations?: readonly { readonly title: string; readonly url: string }[];
}

/** The renderer is as large as the rest of the app: it comes with the first answer. */
const RenderedMarkdown = lazy(async () => ({
  default: (await import('./rendered-markdown.tsx')).RenderedMarkdown,
}));

export const Markdown = memo(function Markdown(props: MarkdownProps) {
  return (
    <Suspense fallback={<p className="markdown text-base whitespace-pre-wrap">{props.text}</p>}>
      <RenderedMarkdown {...props} />
    </Suspense>
  );
});
