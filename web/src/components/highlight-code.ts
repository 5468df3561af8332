/** Colours for code, by Shiki's core with the engine that needs no WebAssembly. Loaded on first use, language by language. */
import { createCssVariablesTheme, createHighlighterCore, type HighlighterCore } from 'shiki/core';
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript';

export interface HighlightedToken {
  readonly text: string;
  /** A CSS variable of `styles.css`, so that both themes colour it. */
  readonly color: string | undefined;
}
export type HighlightedLine = readonly HighlightedToken[];

const theme = createCssVariablesTheme({ name: 'perigee', variablePrefix: '--code-', fontStyle: false });

/** Beyond this many characters colouring would be felt while typing or scrolling. */
const codeLengthMax = 60_000;

const grammars = {
  bash: () => import('shiki/langs/bash.mjs'),
  c: () => import('shiki/langs/c.mjs'),
  css: () => import('shiki/langs/css.mjs'),
  diff: () => import('shiki/langs/diff.mjs'),
  go: () => import('shiki/langs/go.mjs'),
  html: () => import('shiki/langs/html.mjs'),
  java: () => import('shiki/langs/java.mjs'),
  javascript: () => import('shiki/langs/javascript.mjs'),
  json: () => import('shiki/langs/json.mjs'),
  python: () => import('shiki/langs/python.mjs'),
  rust: () => import('shiki/langs/rust.mjs'),
  sql: () => import('shiki/langs/sql.mjs'),
  typescript: () => import('shiki/langs/typescript.mjs'),
  yaml: () => import('shiki/langs/yaml.mjs'),
} as const;
type Grammar = keyof typeof grammars;

const aliases: Readonly<Record<string, Grammar>> = {
  // The grammar of C++ is as large as all others together, and C's colours nearly the same.
  'c++': 'c',
  cpp: 'c',
  curl: 'bash',
  js: 'javascript',
  jsx: 'javascript',
  py: 'python',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  ts: 'typescript',
  tsx: 'typescript',
  yml: 'yaml',
};

const isGrammar = (name: string): name is Grammar => Object.hasOwn(grammars, name);

let highlighter: Promise<HighlighterCore> | undefined;

/** Undefined when the language is not one of ours or the code is too long. */
export async function highlightCode(
  code: string,
  language: string,
): Promise<readonly HighlightedLine[] | undefined> {
  const name = language.toLowerCase();
  const grammar = isGrammar(name) ? name : aliases[name];
  if (grammar === undefined || code.length > codeLengthMax) return undefined;
  highlighter ??= createHighlighterCore({
    themes: [theme],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  const core = await highlighter;
  if (!core.getLoadedLanguages().includes(grammar)) await core.loadLanguage(grammars[grammar]());
  const { tokens } = core.codeToTokens(code, { lang: grammar, theme: 'perigee' });
  return tokens.map((line) => line.map(({ content, color }) => ({ text: content, color })));
}
