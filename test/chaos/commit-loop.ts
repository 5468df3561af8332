/**
 * A program for the kill test: commits as fast as it can, several groups at a time, and prints the number of each
 * group after the store acknowledged it. Killed from outside at a random moment.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/open-store.ts';
import { statement } from '../../src/store/store.ts';

const [dataDir = '', databaseUrl = '', firstNumber = '0'] = process.argv.slice(2);
const store = await openStore({
  dataDir,
  databaseUrl: databaseUrl === '' ? undefined : databaseUrl,
  purpose: 'server',
});
let next = Number(firstNumber);

async function commitForEver(): Promise<never> {
  for (;;) {
    const number = next;
    next += 1;
    await store.commit([
      statement('insert into store_marks (name, value) values (?, ?)', [`first-${number}`, number]),
      statement('insert into store_marks (name, value) values (?, ?)', [`second-${number}`, number]),
    ]);
    // Synchronous, so that what was printed was really acknowledged and what was acknowledged is printed.
    writeSync(1, `${number}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, commitForEver));
