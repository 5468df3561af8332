/** How long Code Example #1 of the model's page takes, on a server that has nothing else to do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PerigeeProcess, startPerigee } from '../page-examples/start-perigee.ts';

const runs = 40;
const limitMs = 3_000;

let folder = '';
let server: PerigeeProcess;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perigee-timed-'));
  server = await startPerigee({ dataDir: path.join(folder, 'data') });
  await server.ready;
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function askOnce(): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'moonshot/kimi-k2-turbo-preview',
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });
  expect(response.status).toBe(200);
  await response.text();
  return performance.now() - startedAt;
}

describe('Code Example #1', () => {
  // About one answer of the default model in a hundred goes on to the 1,024 tokens that are the default (record 0027): once
  // in a hundred rounds there are three of them in forty, which a second round tells from a slow server.
  it('is answered within 3 s at the 95th percentile', { retry: 1, timeout: 240_000 }, async () => {
    const durationsMs: number[] = [];
    for (let run = 0; run < runs; run += 1) durationsMs.push(await askOnce());
    const inOrder = durationsMs.toSorted((a, b) => a - b);
    expect(inOrder[Math.ceil(runs * 0.95) - 1]).toBeLessThan(limitMs);
  });
});
