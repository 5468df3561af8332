import { describe, expect, it } from 'vitest';
import { createModelDirectory, type ServedModel } from './registry.ts';
import { createScriptedEngine } from './scripted/scripted-engine.ts';

const served = (id: string, wireName: string, ...aliases: string[]): ServedModel => ({
  id,
  wireName,
  aliases,
  engine: createScriptedEngine({ script: () => [] }),
  created: 0,
});

describe('the model directory', () => {
  const kimi = served('moonshot/kimi-k2-turbo-preview', 'kimi-k2-turbo-preview', 'kimi-k2-turbo');
  const other = served('other/model', 'model');
  const directory = createModelDirectory([kimi, other]);

  it('finds a model by id, wire name and alias', () => {
    for (const name of ['moonshot/kimi-k2-turbo-preview', 'kimi-k2-turbo-preview', 'kimi-k2-turbo']) {
      expect(directory.find(name)).toBe(kimi);
    }
    expect(directory.find('model')).toBe(other);
    expect(directory.list()).toEqual([kimi, other]);
  });

  it('is exact: no other case, no prefix, no inherited property', () => {
    for (const name of ['Kimi-K2-turbo', 'kimi-k2', '', 'constructor', '__proto__']) {
      expect(directory.find(name)).toBeUndefined();
    }
  });

  it('refuses two models under one name', () => {
    expect(() => createModelDirectory([kimi, served('x/y', 'kimi-k2-turbo')])).toThrow(
      'The models `moonshot/kimi-k2-turbo-preview` and `x/y` are both served as `kimi-k2-turbo`.',
    );
  });
});
