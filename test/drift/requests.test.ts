import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chatCompletionRequestSchema } from '../../src/http/openai/schema.ts';

const text = readFileSync(new URL('../../docs/requests.md', import.meta.url), 'utf8');
const table = text.slice(text.indexOf('## Fields'), text.indexOf('**Ignored fields.**'));
const ignored = text.slice(text.indexOf('**Ignored fields.**'), text.indexOf('; in messages'));

/** The names in a table's first column. */
const documented = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
);

describe('docs/requests.md', () => {
  it('has every field of the request, and no other', () => {
    expect(documented.toSorted()).toEqual(Object.keys(chatCompletionRequestSchema.shape).toSorted());
  });

  it('calls no field ignored that is read', () => {
    const names = [...ignored.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => documented.includes(name))).toEqual([]);
  });
});
