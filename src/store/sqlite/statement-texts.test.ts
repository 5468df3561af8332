import { describe, expect, it } from 'vitest';
import type { SqliteRequest } from './sqlite-protocol.ts';
import { createPacker, createUnpacker } from './statement-texts.ts';

const group = (id: number, ...texts: string[]): SqliteRequest => ({
  id,
  type: 'group',
  isLazy: false,
  statements: texts.map((sql) => ({ sql, parameters: [id, 'a', 5n, null], rowsRequired: 1 })),
});

const run = (id: number, sql: string): SqliteRequest => ({
  id,
  type: 'run',
  transaction: undefined,
  statement: { sql, parameters: [], rowsRequired: undefined },
});

describe('statement texts', () => {
  it('come out as they went in, whatever order they are repeated in', () => {
    const [pack, unpack] = [createPacker(), createUnpacker()];
    const requests = [
      group(1, 'a', 'b', 'a'),
      run(2, 'b'),
      { id: 3, type: 'checkpoint' } as const,
      group(4, 'c', 'a'),
      run(5, 'c'),
    ];
    expect(requests.map((request) => unpack(structuredClone(pack(request))))).toEqual(requests);
  });

  it('cross once', () => {
    const pack = createPacker();
    expect(JSON.stringify(pack(run(1, 'select 1')))).toContain('select 1');
    expect(JSON.stringify(pack(run(2, 'select 1')))).not.toContain('select 1');
  });

  it('come out as they went in when there are more than are remembered', () => {
    const [pack, unpack] = [createPacker(), createUnpacker()];
    const texts = Array.from({ length: 600 }, (_, index) => `select ${index}`);
    for (const sql of [...texts, ...texts]) expect(unpack(pack(run(1, sql)))).toEqual(run(1, sql));
  });
});
