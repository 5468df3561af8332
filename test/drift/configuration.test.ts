import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { replaceConfigurationTable } from '../../scripts/render-configuration.ts';
import { loadConfig } from '../../src/config.ts';
import { environmentNameOf, listSettings } from '../../src/settings.ts';
import { engineSettingsSchema } from '../../src/upstream-settings.ts';
import { listFiles, readSource } from './source-files.ts';

const document = readSource('docs/configuration.md');

describe('docs/configuration.md', () => {
  it('has the table that the settings make; `npm run docs` writes it', () => {
    expect(replaceConfigurationTable(document)).toBe(document);
  });

  it('and the other documents name no setting that does not exist', () => {
    const known = new Set(
      listSettings().flatMap(({ name, setting }) => [
        environmentNameOf(name),
        ...(setting.environmentAliases ?? []),
      ]),
    );
    const unknown = listFiles()
      .filter((file) => /\.md$|compose\.yaml$|Dockerfile$/.test(file))
      .flatMap((file) => [...readSource(file).matchAll(/\bPERIGEE_[A-Z_]*[A-Z]\b/g)].map((match) => match[0]))
      .filter((name) => !known.has(name));
    expect(unknown).toEqual([]);
  });
});

describe('docs/engines.md', () => {
  const recipes = [...readSource('docs/engines.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
    (match) => match[1] ?? '',
  );
  // The recipes name the variables that hold keys; here each of them holds one.
  const variables = recipes.flatMap((recipe) =>
    [...recipe.matchAll(/api_key_env: (\w+)/g)].map((match) => match[1] ?? ''),
  );
  const keys = Object.fromEntries(variables.map((name) => [name, 'a key']));

  it.each(recipes)('has a recipe that the server understands: %#', (recipe) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'perigee-recipe-'));
    try {
      writeFileSync(path.join(folder, 'perigee.yaml'), recipe);
      expect(() => loadConfig({ environment: { ...keys, PERIGEE_DATA_DIR: folder } })).not.toThrow();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('describes every key of an engine and every capability', () => {
    const text = readSource('docs/engines.md');
    const { capabilities, timeouts, ...keysOfEngine } = engineSettingsSchema.shape;
    const names = [
      ...Object.keys(keysOfEngine),
      ...Object.keys(capabilities.unwrap().shape),
      ...Object.keys(timeouts.unwrap().shape),
    ];
    expect(names.filter((name) => !text.includes(`\`${name}\``) && !text.includes(`${name}:`))).toEqual([]);
  });
});
