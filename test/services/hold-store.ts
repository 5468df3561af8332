/** A program for tests: opens a data folder as a server, says `open`, and holds it until it is killed. */
import { openStore } from '../../src/store/open-store.ts';

const [dataDir = ''] = process.argv.slice(2);
await openStore({ dataDir, databaseUrl: undefined, purpose: 'server' });
process.stdout.write('open\n');
process.stdin.resume();
