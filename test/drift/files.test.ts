import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFiles, readSource } from './source-files.ts';

const files = listFiles();
const codeFiles = files.filter((file) => /^(src|test|bench|scripts|bin)\/.*\.(ts|js)$/.test(file));

/** The seam's types are one list on purpose; a list does not get clearer in two files. */
const withoutLimit = ['src/chat/types.ts'];
const bannedNames = /^(utils?|helpers?|common|misc|manager|.*-(utils?|helpers?|manager)|base-.*|.*(?<!k)2)$/;

describe('source files', () => {
  it('stay below 400 lines, tests below 600', () => {
    const tooLong = codeFiles
      .filter((file) => !withoutLimit.includes(file) && !/fixtures/.test(file))
      .map((file) => ({ file, lines: readSource(file).split('\n').length - 1 }))
      .filter(({ file, lines }) => lines > (/\.test\.ts$/.test(file) ? 600 : 400));
    expect(tooLong).toEqual([]);
  });

  it('have names that say what they hold', () => {
    const badlyNamed = codeFiles.filter((file) =>
      file.split('/').some((part) => bannedNames.test(part.replace(/(\.test)?\.(ts|js)$/, ''))),
    );
    expect(badlyNamed).toEqual([]);
  });

  it('leave no promise to do something later without an issue number', () => {
    const todos = codeFiles.filter((file) =>
      readSource(file)
        .split('\n')
        .some((line) => /\b(TODO|FIXME|XXX)\b/.test(line) && !/#\d+/.test(line) && !line.includes('\\b(')),
    );
    expect(todos).toEqual([]);
  });
});

describe('documents', () => {
  const documents = files.filter((file) => /^([A-Z]+|docs\/.*)\.md$/.test(file));

  it.each(documents)('%s links only to files that exist', (document) => {
    const links = [...readSource(document).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map((match) =>
      path.posix.join(path.posix.dirname(document), match[1] ?? ''),
    );
    const missing = links.filter(
      (link) => !files.some((file) => file === link || file.startsWith(`${link}/`.replace('//', '/'))),
    );
    expect(missing).toEqual([]);
  });

  it('ARCHITECTURE.md names only files and folders that exist', () => {
    const named = [
      ...readSource('ARCHITECTURE.md').matchAll(/`((?:src|bin|scripts|test|bench|docs|web)\/[\w./-]*)`/g),
    ].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(20);
    const missing = named.filter(
      (name) =>
        !files.some((file) => file === name || file.startsWith(name.endsWith('/') ? name : `${name}/`)),
    );
    expect(missing).toEqual([]);
  });

  it('the index of decision records lists each record once', () => {
    const records = files
      .filter((file) => /^docs\/decisions\/\d{4}-.*\.md$/.test(file))
      .map((file) => path.basename(file));
    const listed = [...readSource('docs/decisions/README.md').matchAll(/\]\((\d{4}-[^)]+)\)/g)].map(
      (match) => match[1],
    );
    expect(listed.toSorted()).toEqual(records.toSorted());
    expect(new Set(records.map((record) => record.slice(0, 4))).size).toBe(records.length);
  });
});
