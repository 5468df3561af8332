/** `kill -9` of the whole server under load, at random moments, on both databases. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { seedBootstrap } from '../../src/accounts/seed-bootstrap.ts';
import { openLedgerMeter } from '../../src/billing/ledger-meter.ts';
import { verifyLedger } from '../../src/billing/verify-ledger.ts';
import type { Store } from '../../src/store/store.ts';
import {
  createTestDatabase,
  openUntilTestEnds,
  storeKinds,
  type TestDatabase,
} from '../services/test-stores.ts';

const program = path.join(import.meta.dirname, 'scripted-server-process.ts');
const kills = 20;
const clients = 8;
/** Longest time between the first answer of a server and its end. */
const lifeMsMax = 400;

interface Server {
  readonly url: string;
  readonly child: ChildProcess;
}

async function startServer({ dataDir, databaseUrl = '' }: TestDatabase): Promise<Server> {
  const child = spawn(process.execPath, [program, databaseUrl, '', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const [url] = (await once(lines, 'line')) as [string]; // A line event carries its text.
  return { url, child };
}

/** What clients know when all is over. */
interface Witness {
  /** Ids of answers whose last byte arrived. */
  readonly complete: Set<string>;
  /** Ids of all turns that a key was answered by, finished or not. */
  readonly idsByKey: Map<string, Set<string>>;
  isOver: boolean;
}

/** One client: asks, under a key of its own for each question, and asks again under it after the server has died. */
async function ask(serverUrl: () => string, client: string, apiKey: string, witness: Witness): Promise<void> {
  for (let question = 0; !witness.isOver; question += 1) {
    const key = `${client}-${question}`;
    const ids = new Set<string>();
    witness.idsByKey.set(key, ids);
    for (let isAnswered = false; !isAnswered && !witness.isOver; ) {
      try {
        const answer = await fetch(`${serverUrl()}/v1/chat/completions`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${apiKey}`,
            'content-type': 'application/json',
            // Half of the questions go the plain way, without a kept answer.
            ...(question % 2 === 0 && { 'idempotency-key': key }),
          },
          body: JSON.stringify({
            model: 'moonshot/kimi-k2-turbo-preview',
            messages: [{ role: 'user', content: key }],
            max_tokens: 5,
            stream: question % 3 === 0,
          }),
        });
        const id = answer.headers.get('x-inference-id') ?? '';
        const text = await answer.text();
        if (answer.status === 200) {
          ids.add(id);
          // The last frame of a stream; a JSON body is whole or a fetch fails.
          isAnswered = question % 3 !== 0 || text.endsWith('data: [DONE]\n\n');
          if (isAnswered) witness.complete.add(id);
        }
      } catch {
        // The server died; the next one is asked.
        await sleep(50);
      }
      if (question % 2 === 1) isAnswered = true;
    }
  }
}

async function chargedIds(store: Store): Promise<Set<string>> {
  const rows = await store.db
    .selectFrom('ledger_transfers')
    .select('reference_id')
    .where('type', '=', 'MODEL_USAGE')
    .execute();
  const ids = rows.map((row) => row.reference_id ?? '');
  // One charge per inference.
  expect(new Set(ids).size).toBe(ids.length);
  return new Set(ids);
}

describe.each(storeKinds)('a server killed under load on %s', (kind) => {
  it(`has charged every answer whose last byte arrived, and each key once, ${kills} times`, {
    timeout: 600_000,
  }, async () => {
    const database = await createTestDatabase(kind);
    const first = await openUntilTestEnds(database);
    const apiKey = (await seedBootstrap(first))?.apiKey ?? '';
    await first.close();
    const witness: Witness = { complete: new Set(), idsByKey: new Map(), isOver: false };
    let url = 'http://127.0.0.1:1';
    const asking = Array.from({ length: clients }, (_, client) =>
      ask(() => url, `client-${client}`, apiKey, witness),
    );
    for (let round = 0; round < kills; round += 1) {
      const server = await startServer(database);
      const before = witness.complete.size;
      url = server.url;
      await expect
        .poll(() => witness.complete.size, { timeout: 60_000, interval: 5 })
        .toBeGreaterThan(before);
      await sleep(Math.random() * lifeMsMax);
      server.child.kill('SIGKILL');
      await once(server.child, 'exit');
    }
    witness.isOver = true;
    await Promise.all(asking);
    const { complete, idsByKey } = witness;
    const known = [...complete];
    const store = await openUntilTestEnds(database);
    // The next server, after the last lease has run out.
    const meter = await openLedgerMeter(store, { now: () => Date.now() + 60_000 });
    expect(await verifyLedger(store)).toMatchObject({ isSound: true, problems: [], holdCount: 0 });
    const charged = await chargedIds(store);
    expect(known.filter((id) => !charged.has(id))).toEqual([]);
    const chargesPerKey = [...idsByKey]
      .filter(([key]) => Number(key.split('-').at(-1)) % 2 === 0)
      .map(([, ids]) => [...ids].filter((id) => charged.has(id)).length);
    expect(Math.max(...chargesPerKey)).toBe(1);
    const balances = await store.db.selectFrom('balances').selectAll().execute();
    expect(balances.every((row) => row.balance_nano_usd >= 0n && row.held_nano_usd === 0n)).toBe(true);
    expect(known.length).toBeGreaterThanOrEqual(kills);
    await meter.close();
  });
});
