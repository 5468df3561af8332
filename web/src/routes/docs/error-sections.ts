/** `docs/errors.md`, section by section: a test of the server holds it against the catalogue of errors. */
import source from '../../../../docs/errors.md?raw';

export interface ErrorSection {
  readonly code: string;
  readonly status: string;
  readonly type: string;
  readonly isRetryable: boolean;
  /** The server's default text. */
  readonly message: string;
  /** Markdown. */
  readonly when: string;
  readonly whatToDo: string;
}

/** In the document's order. */
export const errorSections: readonly ErrorSection[] = source
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    code: section.slice(0, section.indexOf('\n')),
    status: find(section, /^\| (\d{3}) \|/m),
    type: find(section, /^\| \d{3} \| `([^`]+)`/m),
    isRetryable: find(section, /^\| \d{3} \| `[^`]+` \| (yes|no)/m) === 'yes',
    message: find(section, /^> (.+)$/m),
    when: withoutFileLinks(find(section, /^\*\*When\.\*\* (.+)$/m)),
    whatToDo: withoutFileLinks(find(section, /^\*\*What to do\.\*\* (.+)$/m)),
  }));

function find(section: string, pattern: RegExp): string {
  return pattern.exec(section)?.[1] ?? '';
}

/** Other documents of the repository are no pages of the app. */
function withoutFileLinks(markdown: string): string {
  return markdown.replace(/\[([^\]]+)\]\((?!https?:)[^)]+\)/g, '$1');
}
