import { type ReactNode, useState } from 'react';
import { CodeBlock } from '../../components/code-block.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { type CodeLanguage, codeLanguages, languageNames } from './write-code.ts';

interface CodeTabsProps {
  readonly label: string;
  readonly title: string;
  /** The program in one of the languages. */
  write(language: CodeLanguage): string;
  /** Right of the languages. */
  readonly aside?: ReactNode;
  /** CSS height at most; beyond it the program scrolls in itself. */
  readonly maxHeight?: string;
}

/** One request as a program in each language. */
export function CodeTabs({ label, title, write, aside, maxHeight }: CodeTabsProps) {
  const [language, setLanguage] = useState<CodeLanguage>('python');
  return (
    <Tabs
      label={label}
      value={language}
      onChange={setLanguage}
      aside={aside}
      items={codeLanguages.map((each) => ({
        value: each,
        label: languageNames[each],
        content: (
          <CodeBlock
            className="mt-2"
            language={each}
            title={title}
            maxHeight={maxHeight}
            code={write(each)}
          />
        ),
      }))}
    />
  );
}
