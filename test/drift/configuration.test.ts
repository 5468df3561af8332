import { describe, expect, it } from 'vitest';
import { replaceConfigurationTable } from '../../scripts/render-configuration.ts';
import { environmentNameOf, listSettings } from '../../src/settings.ts';
import { listFiles, readSource } from './source-files.ts';

const document = readSource('docs/configuration.md');

describe('docs/configuration.md', () => {
  it('has the table that the settings make; `npm run docs` writes it', () => {
    expect(replaceConfigurationTable(document)).toBe(document);
  });

  it('and the other documents name no setting that does not exist', () => {
    const known = new Set(listSettings().map(({ name }) => environmentNameOf(name)));
    const unknown = listFiles()
      .filter((file) => /\.md$|compose\.yaml$|Dockerfile$/.test(file))
      .flatMap((file) => [...readSource(file).matchAll(/\bPERIGEE_[A-Z_]*[A-Z]\b/g)].map((match) => match[0]))
      .filter((name) => !known.has(name));
    expect(unknown).toEqual([]);
  });
});
