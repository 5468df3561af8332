import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../src/errors.ts';

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const sections = new Map(
  text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n');
      return [section.slice(0, end), section.slice(end)] as const;
    }),
);

describe('docs/errors.md', () => {
  it('has one section per code of the catalogue, in its order, and no other', () => {
    expect([...sections.keys()]).toEqual(Object.keys(errorCatalogue));
  });

  it.each(Object.entries(errorCatalogue))('says of %s what the catalogue says', (code, entry) => {
    const section = sections.get(code);
    expect(section).toContain(
      `| ${entry.status} | \`${entry.type}\` | ${entry.isRetryable ? 'yes' : 'no'} |`,
    );
    expect(section).toContain(`> ${entry.message}\n`);
    expect(section).toMatch(/^\*\*When\.\*\* \S.*\n\n\*\*What to do\.\*\* \S/m);
  });
});
