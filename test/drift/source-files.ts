/** The repository's own files, for tests that hold them against rules and documents. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Paths of tracked and new files, relative to the repository, with forward slashes; ignored ones are left out. */
export function listFiles(): readonly string[] {
  const output = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  const deleted = new Set(
    execFileSync('git', ['ls-files', '--deleted'], { cwd: root, encoding: 'utf8' }).split('\n'),
  );
  return output.split('\n').filter((file) => file !== '' && !deleted.has(file));
}

/** A file's text. */
export const readSource = (file: string): string => readFileSync(path.join(root, file), 'utf8');

export interface Import {
  /** A package's name, or a path in the repository such as `src/errors.ts`. */
  readonly target: string;
  /** True when every name of the statement is a type: it does not exist at run time. */
  readonly isTypeOnly: boolean;
}

/** Every import and re-export of a TypeScript file. */
export function listImports(file: string): readonly Import[] {
  const { module, errors } = parseSync(file, readSource(file));
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message}`);
  const imports = module.staticImports.map((statement) => ({
    request: statement.moduleRequest.value,
    isTypeOnly: statement.entries.length > 0 && statement.entries.every((entry) => entry.isType),
  }));
  const exports = module.staticExports.flatMap((statement) =>
    statement.entries.flatMap((entry) =>
      entry.moduleRequest === null ? [] : [{ request: entry.moduleRequest.value, isTypeOnly: entry.isType }],
    ),
  );
  const dynamic = module.dynamicImports.flatMap(({ moduleRequest }) => {
    const text = readSource(file).slice(moduleRequest.start, moduleRequest.end);
    const literal = /^(['"])(.*)\1$/.exec(text)?.[2];
    return literal === undefined ? [] : [{ request: literal, isTypeOnly: false }];
  });
  return [...imports, ...exports, ...dynamic].map(({ request, isTypeOnly }) => ({
    target: request.startsWith('.') ? path.posix.join(path.posix.dirname(file), request) : packageOf(request),
    isTypeOnly,
  }));
}

/** `@scope/name/inner` → `@scope/name`, `kysely/migration` → `kysely`. */
const packageOf = (request: string): string =>
  request
    .split('/')
    .slice(0, request.startsWith('@') ? 2 : 1)
    .join('/');
