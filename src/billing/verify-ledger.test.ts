import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { seedBootstrap } from '../accounts/seed-bootstrap.ts';
import { createKeyDirectory } from '../keys/key-directory.ts';
import { explainPlans } from '../store/__fixtures__/explain-plans.ts';
import { statement } from '../store/store.ts';
import { openLedgerMeter } from './ledger-meter.ts';
import { verifyLedger } from './verify-ledger.ts';

const usage = { promptTokens: 1_000, cachedTokens: 0, completionTokens: 100, source: 'engine' } as const;

/** One account with 100 dollars, one settled turn (`done`, 1,950,000 nano-dollars) and one that runs (`running`). */
async function openSoundBooks(kind: (typeof storeKinds)[number]) {
  const store = await openTestStore(kind);
  const seeded = await seedBootstrap(store);
  const caller = await createKeyDirectory(store).authenticate(seeded?.apiKey);
  const meter = await openLedgerMeter(store);
  const turn = {
    caller,
    clientRequestId: undefined,
    modelId: 'moonshot/kimi-k2-turbo-preview',
    promptTokens: 1_000,
    outputTokensMax: 100,
    choiceCount: 1,
  };
  const done = await meter.open({ ...turn, inferenceId: 'done' });
  await done.settle({ usage, status: 'succeeded', timeToFirstTokenMs: 1, durationMs: 2 });
  await meter.open({ ...turn, inferenceId: 'running' });
  // Its hold stays: only a later server would give it back.
  await meter.close();
  return store;
}

const damages = [
  [
    'a balance',
    'update balances set balance_nano_usd = balance_nano_usd + 1',
    /balance of account 1 .* sum to/,
  ],
  ['what an account has held', 'update balances set held_nano_usd = held_nano_usd + 1', /1950001 held/],
  ['what a key has held', 'update api_keys set window_held_nano_usd = 5', /Key .{8} has 5 held/],
  ['a hold that is gone', 'delete from holds', /open holds sum to 0/],
  ['a cost without its charge', 'update usage_requests set cost_nano_usd = 7', /Inference done cost 7/],
  ['a charge without its request', 'delete from usage_requests', /charge of 1950000 for done/],
  ['the usage sums', 'update usage_rollups set cost_nano_usd = 3', /usage sums of key .{8} say 3/],
  [
    'a second charge',
    `insert into ledger_transfers
       (account_id, counterpart, direction, type, amount_nano_usd, reference_id, created_at)
     values (1, 'revenue', 'CHARGE', 'MODEL_USAGE', 1950000, 'done', 0)`,
    /Inference done cost 1950000, its charges sum to 3900000/,
  ],
] as const;

describe.each(storeKinds)('verifying the ledger on %s', (kind) => {
  it('finds sound books sound, with a turn under way', async () => {
    const store = await openSoundBooks(kind);
    expect(await verifyLedger(store)).toEqual({
      isSound: true,
      accountCount: 1,
      transferCount: 2,
      holdCount: 1,
      problems: [],
    });
  });

  it.each(damages)('finds damage to %s', async (_, damage, sentence) => {
    const store = await openSoundBooks(kind);
    await store.commit([statement(damage, [])]);
    const report = await verifyLedger(store);
    expect(report.isSound).toBe(false);
    expect(report.problems.map((problem) => problem.text)).toEqual(
      expect.arrayContaining([expect.stringMatching(sentence)]),
    );
  });
});

describe('verifying a large ledger on sqlite', () => {
  it('looks up what each charge was for, instead of reading all resources for every charge', async () => {
    const plans = await explainPlans(await openTestStore('sqlite'), verifyLedger);
    const inner = plans.filter((line) => line.endsWith('LEFT-JOIN'));
    expect(inner).not.toEqual([]);
    expect(inner.filter((line) => line.startsWith('SCAN'))).toEqual([]);
  });
});
