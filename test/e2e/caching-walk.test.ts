/**
 * The walk of a client that uploads a long document and keeps it in a context cache, with the real server, the default
 * model and its whole window.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { type PerigeeProcess, startPerigee } from '../page-examples/start-perigee.ts';
import { postChat, readCompletion, readError } from './chat-wire.ts';
import { modelName } from './running-server.ts';

// Thousands of tokens are computed, perhaps beside everything else that the machine does.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/**
 * The beginning of 三國演義 (羅貫中, 14th century, public domain): two thousand characters, some five thousand tokens.
 * What a window has room for beyond them is the same text again under the heading of another telling.
 */
const novel = readFileSync(new URL('./fixtures/three-kingdoms.txt', import.meta.url), 'utf8');
const windowShare = 0.85;

const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-caching-'));
let server: PerigeeProcess;
const start = async (): Promise<void> => {
  server = await startPerigee({ dataDir });
  await server.ready;
};
beforeAll(start);
afterAll(async () => {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Sends JSON below `/v1` and returns the parsed answer. Throws with the body when the status is not 200. */
async function send<T>(method: string, address: string, body?: object): Promise<T> {
  const response = await fetch(`${server.url}/v1${address}`, {
    method,
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`);
  return JSON.parse(text) as T; // The contract's shape; tests check its fields.
}

interface WireCache {
  readonly id: string;
  readonly status: string;
  readonly tokens: number;
  readonly expired_at: number;
  readonly backing: string;
}

/** Infinite for a text that is longer than the window. */
async function countTokens(content: string): Promise<number> {
  const response = await fetch(`${server.url}/v1/tokenizers/estimate-token-count`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: modelName, messages: [{ role: 'system', content }] }),
  });
  if (response.status === 400) return Number.POSITIVE_INFINITY;
  const { data } = (await response.json()) as { data: { total_tokens: number } }; // As in `send`.
  return data.total_tokens;
}

/** The novel, cut where its tokens reach the share of the window. */
async function cutToWindow(): Promise<string> {
  const { data } = await send<{
    data: { id: string; context_length?: number; info?: { contextLength: number } }[];
  }>('GET', '/models');
  const windowTokens = data[0]?.context_length ?? data[0]?.info?.contextLength ?? 0;
  // What SmolLM2 was trained for: nothing here makes it smaller.
  expect(windowTokens).toBe(8_192);
  const target = Math.floor(windowTokens * windowShare);
  const tellings = Array.from({ length: 4 }, (_, index) => `第${index + 1}遍\n${novel}`);
  const text = tellings.join('\n');
  let low = 0;
  let high = text.length;
  while (high - low > 8) {
    const middle = Math.floor((low + high) / 2);
    if ((await countTokens(text.slice(0, middle))) <= target) low = middle;
    else high = middle;
  }
  expect(low).toBeLessThan(text.length - 8);
  return text.slice(0, low);
}

/** Its text as the server extracted it, to be pasted into a message as it is. */
async function uploadDocument(text: string): Promise<string> {
  const form = new FormData();
  form.set('purpose', 'file-extract');
  form.set('file', new Blob([text]), '三國演義.txt');
  const headers = { authorization: `Bearer ${server.apiKey}` };
  const uploaded = await fetch(`${server.url}/v1/files`, { method: 'POST', headers, body: form });
  expect(uploaded.status).toBe(200);
  const { id, status } = (await uploaded.json()) as { id: string; status: string }; // As in `send`.
  expect(status).toBe('ready');
  const content = await fetch(`${server.url}/v1/files/${id}/content`, { headers });
  return await content.text();
}

const ask = async (messages: readonly object[], headers: Record<string, string> = {}) =>
  await postChat(
    { baseUrl: `${server.url}/v1`, apiKey: server.apiKey },
    { messages, max_tokens: 8 },
    { headers },
  );

it('keeps a novel at hand over questions, tags, a longer life and a restart, until it is deleted', async () => {
  const excerpt = await cutToWindow();
  const document = { role: 'system', content: await uploadDocument(excerpt) };
  expect(JSON.parse(document.content)).toMatchObject({ content: excerpt, filename: '三國演義.txt' });
  const created = await send<WireCache>('POST', '/caching', {
    model: modelName,
    messages: [document],
    ttl: 600,
  });
  expect(created).toMatchObject({ status: 'pending', backing: 'pinned' });
  // 85 percent of the window, and the few dozen tokens of JSON around the text.
  expect(created.tokens).toBeGreaterThan(8_192 * windowShare - 32);
  const address = `/caching/${created.id}`;
  const read = async () => await send<WireCache>('GET', address);
  await expect.poll(async () => (await read()).status, { timeout: 400_000, interval: 500 }).toBe('ready');
  await send('POST', '/caching/refs/tags', { tag: 'novel', cache_id: created.id });

  const byId = { role: 'cache', content: `cache_id=${created.id}` };
  const question = { role: 'user', content: '劉備是誰？' };
  const expectHit = async (response: Response) => {
    const { usage } = await readCompletion(response);
    // All but the question and the marks around it.
    expect(usage).toMatchObject({ cached_tokens: expect.any(Number) });
    expect(usage.prompt_tokens - Number(Object(usage).cached_tokens)).toBeLessThan(64);
    expect(response.headers.get('msh-context-cache-id')).toBe(created.id);
    expect(response.headers.get('msh-context-cache-token-saved')).toBe(String(created.tokens));
  };
  await expectHit(await ask([byId, question]));
  await expectHit(
    await ask([
      { role: 'cache', content: 'tag=novel' },
      { role: 'user', content: '張飛是誰？' },
    ]),
  );
  const headers = { 'x-msh-context-cache': created.id };
  await expectHit(await ask([document, { role: 'user', content: '關羽是誰？' }], headers));

  const extended = await send<WireCache>('PUT', address, { ttl: 7_200 });
  expect(extended.expired_at).toBeGreaterThan(created.expired_at + 6_000);

  await server.stop();
  await start();
  expect((await read()).status).toBe('ready');
  await expectHit(await ask([byId, question]));

  // A cache whose computed state is lost is computed again for free, before the request.
  await server.stop();
  rmSync(path.join(dataDir, 'prefixes'), { recursive: true });
  await start();
  await expectHit(await ask([byId, question]));

  expect(await send('DELETE', address)).toMatchObject({ deleted: true, id: created.id });
  for (const cache of [byId, { role: 'cache', content: 'tag=novel' }]) {
    const refused = await ask([cache, question]);
    expect(refused.status).toBe(404);
    expect(await readError(refused)).toMatchObject({ code: 'cache_not_found' });
  }
  const { transactions } = await readTransactions();
  const types = new Set(transactions.map(({ type }) => type));
  expect([...types].sort()).toEqual(['INIT', 'MODEL_USAGE']);
  // Creation, storage, and five answers.
  expect(transactions.filter(({ type }) => type === 'MODEL_USAGE')).toHaveLength(7);
});

/** The account's ledger, as the database has it. */
async function readTransactions(): Promise<{ transactions: { type: string }[] }> {
  await server.stop();
  const store = await openStore({ dataDir, databaseUrl: undefined, purpose: 'command' });
  const transactions = await store.db.selectFrom('ledger_transfers').select('type').execute();
  await store.close();
  return { transactions };
}
