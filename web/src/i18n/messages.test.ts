import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatMessage, type Message, type Messages } from './messages.ts';

const sources = path.resolve(import.meta.dirname, '..');
const files = readdirSync(sources, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('-messages.ts'));

const formsOf = (message: Message): readonly string[] =>
  typeof message === 'string' ? [message] : [message.one, message.other];
const placeholdersOf = (message: Message): readonly string[] =>
  [...new Set(formsOf(message).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].toSorted();

describe('the interface’s texts', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(5);
  });

  it.each(files)('of %s say the same in every language: keys, placeholders, no empty text', async (file) => {
    const module: Record<string, Messages<string>> = await import(path.join(sources, file));
    for (const { en, zh } of Object.values(module)) {
      expect(Object.keys(zh)).toEqual(Object.keys(en));
      for (const [key, message] of Object.entries(en)) {
        expect([key, placeholdersOf(zh[key] ?? '')]).toEqual([key, placeholdersOf(message)]);
        for (const form of [...formsOf(message), ...formsOf(zh[key] ?? '')]) expect(form.trim()).not.toBe('');
      }
    }
  });

  it('choose the form by the count, and group numbers', () => {
    const rows = { one: '{count} row', other: '{count} rows' };
    expect(formatMessage(rows, { count: 1 }, 'en')).toBe('1 row');
    expect(formatMessage(rows, { count: 12_345 }, 'en')).toBe('12,345 rows');
    expect(formatMessage('{name}!', {}, 'en')).toBe('{name}!');
  });
});
