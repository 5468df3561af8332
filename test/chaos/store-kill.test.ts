import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createTestDatabase,
  openUntilTestEnds,
  storeKinds,
  type TestDatabase,
} from '../services/test-stores.ts';
import { killAfterLines } from './kill-after-lines.ts';

const program = path.join(import.meta.dirname, 'commit-loop.ts');
const kills = 10;

/** Lets the program commit until some (random) number of groups was acknowledged, kills it, returns the numbers. */
async function commitUntilKilled(database: TestDatabase, firstNumber: number): Promise<readonly number[]> {
  const { dataDir, databaseUrl = '' } = database;
  const lineCount = 20 + Math.floor(Math.random() * 300);
  const lines = await killAfterLines(program, [dataDir, databaseUrl, String(firstNumber)], lineCount);
  return lines.map(Number);
}

describe.each(storeKinds)('a process killed while it commits to %s', (kind) => {
  it(`loses nothing that was acknowledged and leaves no half group, ${kills} times`, {
    timeout: 120_000,
  }, async () => {
    const database = await createTestDatabase(kind);
    const acknowledged: number[] = [];
    for (let round = 0; round < kills; round += 1) {
      acknowledged.push(...(await commitUntilKilled(database, round * 1_000_000)));
    }
    const store = await openUntilTestEnds(database);
    const rows = await store.db.selectFrom('store_marks').select('name').execute();
    const names = new Set(rows.map((row) => row.name));
    expect(acknowledged.length).toBeGreaterThanOrEqual(kills * 20);
    expect(acknowledged.filter((number) => !names.has(`first-${number}`))).toEqual([]);
    const twinOf = (name: string) =>
      name.replace(/^(first|second)-/, (_, half) => (half === 'first' ? 'second-' : 'first-'));
    const halves = [...names].filter((name) => name !== 'key-generation' && !names.has(twinOf(name)));
    expect(halves).toEqual([]);
  });
});
