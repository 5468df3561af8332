import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { seedBootstrap } from '../../src/accounts/seed-bootstrap.ts';
import { openLedgerMeter } from '../../src/billing/ledger-meter.ts';
import { verifyLedger } from '../../src/billing/verify-ledger.ts';
import { createTestDatabase, openUntilTestEnds, storeKinds } from '../services/test-stores.ts';
import { killAfterLines } from './kill-after-lines.ts';

const program = path.join(import.meta.dirname, 'charge-process.ts');
const kills = 10;

describe.each(storeKinds)('a server killed while it charges on %s', (kind) => {
  it(`has booked every charge it acknowledged and holds nothing, ${kills} times`, {
    timeout: 120_000,
  }, async () => {
    const database = await createTestDatabase(kind);
    const first = await openUntilTestEnds(database);
    const seeded = await seedBootstrap(first);
    await first.close();
    const acknowledged: string[] = [];
    for (let round = 0; round < kills; round += 1) {
      const lineCount = 10 + Math.floor(Math.random() * 100);
      const { dataDir, databaseUrl = '' } = database;
      acknowledged.push(
        ...(await killAfterLines(program, [dataDir, databaseUrl, seeded?.apiKey ?? ''], lineCount)),
      );
    }
    const store = await openUntilTestEnds(database);
    // The next server, after the last lease has run out.
    const meter = await openLedgerMeter(store, { now: () => Date.now() + 60_000 });
    const report = await verifyLedger(store);
    expect(report).toMatchObject({ isSound: true, problems: [], holdCount: 0 });
    const rows = await store.db
      .selectFrom('usage_requests')
      .select('inference_id')
      .where('cost_nano_usd', '>', 0n)
      .execute();
    const charged = new Set(rows.map((row) => row.inference_id));
    expect(acknowledged.length).toBeGreaterThanOrEqual(kills * 10);
    expect(acknowledged.filter((inferenceId) => !charged.has(inferenceId))).toEqual([]);
    await meter.close();
  });
});
