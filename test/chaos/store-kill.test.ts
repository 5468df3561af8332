import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import {
  createTestDatabase,
  openUntilTestEnds,
  storeKinds,
  type TestDatabase,
} from '../services/test-stores.ts';

const program = path.join(import.meta.dirname, 'commit-loop.ts');
const kills = 10;

/** Lets the program commit until some (random) number of groups was acknowledged, kills it, returns the numbers. */
async function commitUntilKilled(database: TestDatabase, firstNumber: number): Promise<readonly number[]> {
  const enough = 20 + Math.floor(Math.random() * 300);
  const child = spawn(
    process.execPath,
    [program, database.dataDir, database.databaseUrl ?? '', String(firstNumber)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const acknowledged: number[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    acknowledged.push(Number(line));
    if (acknowledged.length === enough) {
      child.kill('SIGKILL');
    }
  });
  // Both: the lines that were in the pipe when the process died count as acknowledged.
  await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return acknowledged;
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
