/** What a prompt costs that is computed, reused by itself, or covered by a context cache: by the rows of the ledger. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { openStore } from '../../src/store/open-store.ts';
import { createFreshPrompt } from '../engine/prompts.ts';
import { findFreePort, startMeasured } from '../measured-process.ts';

export interface PriceFigures {
  /** Charge of a request whose prompt a context cache covers but for its question, over that of the same one computed. */
  readonly objectPriceRatio: number;
  /** The same for a prompt that was reused by itself. */
  readonly automaticPriceRatio: number;
}

const modelName = 'moonshot/kimi-k2-turbo-preview';
const documentTokens = 2_000;
const readyMsMax = 120_000;

/** Asks the whole server, as it is shipped, and reads its database when it has ended. */
export async function comparePrices(modelPath: string): Promise<PriceFigures> {
  const key = randomBytes(24).toString('hex');
  const port = await findFreePort();
  const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-bench-prices-'));
  const origin = `http://127.0.0.1:${port}`;
  try {
    const server = await startMeasured({
      command: process.execPath,
      args: [
        ...[path.join(import.meta.dirname, '../../src/main.ts'), 'serve', '--port', String(port)],
        ...['--data-dir', dataDir, '--model', modelPath],
      ],
      environment: { PERIGEE_BOOTSTRAP_API_KEY: key },
      readyUrl: `${origin}/ready`,
    });
    let asked: Awaited<ReturnType<typeof askThrice>>;
    try {
      asked = await askThrice({ origin, key });
    } finally {
      await server.stop();
    }
    const [computed, automatic, object] = await readCharges(dataDir, asked);
    return { automaticPriceRatio: automatic / computed, objectPriceRatio: object / computed };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

interface Server {
  readonly origin: string;
  readonly key: string;
}

/** Three questions about one document; resolves to their inference ids. */
async function askThrice(server: Server): Promise<readonly [string, string, string]> {
  const document = { role: 'system', content: createFreshPrompt(documentTokens) };
  const computed = await ask(server, document, 'isNew');
  const automatic = await ask(server, document, 'isReused');
  const cache = await send(server, 'POST', '/v1/caching', {
    model: modelName,
    messages: [document],
    ttl: 600,
  });
  const id = String(cache.body.id);
  const lateAt = Date.now() + readyMsMax;
  for (let status = 'pending'; status !== 'ready'; ) {
    if (Date.now() > lateAt) throw new Error(`the context cache is ${status}`);
    await sleep(100);
    status = String((await send(server, 'GET', `/v1/caching/${id}`)).body.status);
  }
  const object = await ask(server, { role: 'cache', content: `cache_id=${id}` }, 'isReused');
  return [computed, automatic, object];
}

async function ask(server: Server, beginning: object, expected: 'isNew' | 'isReused'): Promise<string> {
  const question = { role: 'user', content: createFreshPrompt(10) };
  const fields = { model: modelName, messages: [beginning, question], max_tokens: 1 };
  const { body, inferenceId } = await send(server, 'POST', '/v1/chat/completions', fields);
  const { prompt_tokens: promptTokens, cached_tokens: cachedTokens = 0 } = Object(body.usage);
  // A beginning of a few tokens (the template's) is shared by all.
  const isReused = cachedTokens > promptTokens / 2;
  if (promptTokens < documentTokens || isReused !== (expected === 'isReused')) {
    throw new Error(`of ${promptTokens} tokens ${cachedTokens} were reused, which is not what is compared`);
  }
  return inferenceId;
}

async function send(
  { origin, key }: Server,
  method: 'GET' | 'POST',
  address: string,
  fields?: object,
): Promise<{ readonly body: Record<string, unknown>; readonly inferenceId: string }> {
  const answer = await request(`${origin}${address}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: fields === undefined ? null : JSON.stringify(fields),
    headersTimeout: 0,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}: ${text}`);
  return { body: JSON.parse(text), inferenceId: String(answer.headers['x-inference-id']) };
}

/** Nano-dollars that the ledger has booked for each of these, in their order. */
async function readCharges(
  dataDir: string,
  inferenceIds: readonly [string, string, string],
): Promise<readonly [number, number, number]> {
  const store = await openStore({ dataDir, databaseUrl: undefined, purpose: 'command' });
  try {
    const read = async (id: string): Promise<number> => {
      const row = await store.db
        .selectFrom('ledger_transfers')
        .select('amount_nano_usd')
        .where('reference_id', '=', id)
        .executeTakeFirstOrThrow();
      return Number(row.amount_nano_usd);
    };
    const [first, second, third] = inferenceIds;
    return [await read(first), await read(second), await read(third)];
  } finally {
    await store.close();
  }
}
