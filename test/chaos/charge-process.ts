/**
 * A program for the kill test: runs turns of one key as fast as it can, several at a time, and prints each
 * inference id after its charge was acknowledged. Killed from outside at a random moment.
 */
import { writeSync } from 'node:fs';
import { openLedgerMeter } from '../../src/billing/ledger-meter.ts';
import { createKeyDirectory } from '../../src/keys/key-directory.ts';
import { openStore } from '../../src/store/open-store.ts';

const [dataDir = '', databaseUrl = '', apiKey = ''] = process.argv.slice(2);
const store = await openStore({
  dataDir,
  databaseUrl: databaseUrl === '' ? undefined : databaseUrl,
  purpose: 'server',
});
const caller = await createKeyDirectory(store).authenticate(apiKey);
const meter = await openLedgerMeter(store);
let count = 0;

async function runTurns(): Promise<never> {
  for (;;) {
    count += 1;
    const inferenceId = `${process.pid}-${count}`;
    const hold = await meter.open({
      caller,
      inferenceId,
      clientRequestId: undefined,
      modelId: 'moonshot/kimi-k2-turbo-preview',
      promptTokens: 100,
      outputTokensMax: 100,
      choiceCount: 1,
    });
    await hold.settle({
      usage: { promptTokens: 100, cachedTokens: 10, completionTokens: 50, source: 'engine' },
      status: 'succeeded',
      timeToFirstTokenMs: 1,
      durationMs: 2,
    });
    // Synchronous, so that what was printed was really acknowledged and what was acknowledged is printed.
    writeSync(1, `${inferenceId}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, runTurns));
