import { useEffect, useMemo, useState } from 'react';
import { type MathPlugin, Streamdown } from 'streamdown';
import type { MarkdownProps } from './markdown.tsx';
import { CitationContext, markdownComponents } from './markdown-components.tsx';
import { hasMath, normalizeMath } from './normalize-math.ts';

/** No plugin that turns markup of the text into elements: it is shown as it was written. */
const rehypePlugins: [] = [];

export function RenderedMarkdown({ text, isStreaming = false, citations = [] }: MarkdownProps) {
  const needsMath = hasMath(text);
  const math = useMathPlugin(needsMath);
  const source = useMemo(() => (needsMath ? normalizeMath(text) : text), [text, needsMath]);
  return (
    <CitationContext.Provider value={citations}>
      <Streamdown
        className="markdown"
        mode={isStreaming ? 'streaming' : 'static'}
        controls={false}
        components={markdownComponents}
        rehypePlugins={rehypePlugins}
        plugins={math === undefined ? {} : { math }}
      >
        {source}
      </Streamdown>
    </CitationContext.Provider>
  );
}

/** KaTeX, with its fonts, only for answers that need it. Undefined until it is loaded: formulas are then plain text. */
function useMathPlugin(isNeeded: boolean): MathPlugin | undefined {
  const [plugin, setPlugin] = useState<MathPlugin>();
  useEffect(() => {
    if (!isNeeded) return;
    import('./math-plugin.ts').then(
      (loaded) => setPlugin(loaded.mathPlugin),
      // The formula's own notation stays readable.
      () => undefined,
    );
  }, [isNeeded]);
  return isNeeded ? plugin : undefined;
}
