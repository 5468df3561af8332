/** `perigee ledger verify` over a real database, as an operator or a cron job runs it. */
import { describe, expect, it } from 'vitest';
import { seedBootstrap } from '../../src/accounts/seed-bootstrap.ts';
import { statement } from '../../src/store/store.ts';
import { createTestDatabase, openUntilTestEnds, storeKinds } from '../services/test-stores.ts';
import { runCommand } from './run-command.ts';

async function openBooks(kind: (typeof storeKinds)[number]) {
  const database = await createTestDatabase(kind);
  const store = await openUntilTestEnds(database);
  await seedBootstrap(store);
  const verify = (...flags: readonly string[]) =>
    runCommand(['ledger', 'verify', ...flags], {
      PERIGEE_DATA_DIR: database.dataDir,
      ...(database.databaseUrl !== undefined && { DATABASE_URL: database.databaseUrl }),
    });
  return { store, verify };
}

describe.each(storeKinds)('perigee ledger verify on %s', (kind) => {
  it('says that the books balance and exits with 0', { timeout: 60_000 }, async () => {
    const { verify } = await openBooks(kind);
    expect(await verify()).toEqual({
      exitCode: 0,
      output: 'The books balance (accounts: 1, transactions: 1, open holds: 0).\n',
      notes: '',
    });
    const { exitCode, output } = await verify('--json');
    expect({ exitCode, report: JSON.parse(output) }).toEqual({
      exitCode: 0,
      report: { is_sound: true, accounts: 1, transactions: 1, open_holds: 0, problems: [] },
    });
  });

  it('names each discrepancy and exits with 1', { timeout: 60_000 }, async () => {
    const { store, verify } = await openBooks(kind);
    await store.commit([
      statement('update balances set balance_nano_usd = 7', []),
      statement('update api_keys set window_held_nano_usd = 5', []),
    ]);
    const text = await verify();
    expect(text.exitCode).toBe(1);
    expect(text.output).toMatch(
      /^The balance of account 1 is 7, its entries sum to 100000000000\.\nKey .{8} has 5 held/,
    );
    expect(text.notes).toMatch(/^The books do not balance: 2 discrepancies \(accounts: 1/);
    const json = await verify('--json');
    expect(json.exitCode).toBe(1);
    expect(JSON.parse(json.output)).toMatchObject({
      is_sound: false,
      problems: [
        { account: 1, text: expect.stringContaining('balance') },
        { account: 1, text: expect.stringContaining('held') },
      ],
    });
  });
});
