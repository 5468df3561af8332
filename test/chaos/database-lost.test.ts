/** A server whose database goes away in the middle of an answer, and which is told to end then. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openLedgerMeter } from '../../src/billing/ledger-meter.ts';
import { verifyLedger } from '../../src/billing/verify-ledger.ts';
import { startPerigee } from '../page-examples/start-perigee.ts';
import { createTestDatabase, openUntilTestEnds } from '../services/test-stores.ts';

interface Way {
  readonly url: string;
  /** From now on nobody gets through. */
  cut(): void;
}

/** The way to a database, which the test can cut. */
async function openWay(databaseUrl: string): Promise<Way> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(cut);
  const address = server.address();
  const url = new URL(databaseUrl);
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return { url: url.href, cut };
}

it('ends by itself when the database is gone, says so, and loses no money', {
  timeout: 240_000,
}, async () => {
  const { databaseUrl = '' } = await createTestDatabase('postgres');
  const way = await openWay(databaseUrl);
  const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-database-lost-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const server = await startPerigee({
    dataDir,
    environment: { PERIGEE_DATABASE_URL: way.url, PERIGEE_SHUTDOWN_SECONDS: '2', PERIGEE_THREADS: '1' },
  });
  onTestFinished(() => void server.child.kill('SIGKILL'));
  await server.ready;
  const ask = async (body: object): Promise<Response> =>
    await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'moonshot/kimi-k2-turbo-preview', ...body }),
    });
  const charged = await ask({ max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] });
  expect(charged.status).toBe(200);
  await charged.text();

  const running = await ask({
    max_tokens: 1_000,
    stream: true,
    messages: [{ role: 'user', content: 'Write a long story about the sea.' }],
  });
  const reader = running.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader?.read())?.value ?? '';
  way.cut();
  const ended = server.stop();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) text += part.value;
  expect(await ended).toBe(0);
  expect(server.output()).toContain('Holds that could not be given back: 1.');
  // What was not charged is not passed off as answered.
  expect(text).not.toContain('[DONE]');

  const store = await openUntilTestEnds({ dataDir, databaseUrl });
  expect((await verifyLedger(store)).problems).toEqual([]);
  const next = await openLedgerMeter(store, { now: () => Date.now() + 60_000 });
  expect(await verifyLedger(store)).toMatchObject({ problems: [], holdCount: 0 });
  const rows = await store.db.selectFrom('usage_requests').select('status').orderBy('created_at').execute();
  expect(rows).toEqual([{ status: 'succeeded' }, { status: 'failed' }]);
  await next.close();
});
