/** Clients that leave in the middle of a stream take everything with them: slots, holds, prompts and memory. */

import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFreeMeter } from '../../src/billing/free-meter.ts';
import type { Meter, TurnOutcome } from '../../src/billing/meter.ts';
import { createTurnMetering } from '../../src/billing/metered-turn.ts';
import { createChatService } from '../../src/chat/chat-service.ts';
import { createLlamaEngine } from '../../src/engines/llama/llama-engine.ts';
import { Supervisor } from '../../src/engines/llama/supervisor.ts';
import { createModelDirectory } from '../../src/engines/registry.ts';
import { noFormulas } from '../../src/http/__fixtures__/no-formulas.ts';
import { noPeople, noPlaygroundKeys } from '../../src/http/__fixtures__/no-people.ts';
import { noCaches, noFiles, noPlatform } from '../../src/http/__fixtures__/no-platform.ts';
import { createHttpApp } from '../../src/http/create-http-app.ts';
import { createIdSource } from '../../src/http/create-id-source.ts';
import { type HttpSettings, httpSettingsDefault } from '../../src/http/http-dependencies.ts';
import { obtainTestModel } from '../model/test-model.ts';
import { foldStream, longAnswer, postChat, readPayloads } from './chat-wire.ts';
import { modelName } from './running-server.ts';

const clients = 200;
/** That many streams run or wait at a time, as with a crowd that comes and goes. */
const crowd = 20;

/** Counts the holds that are open; every hold must be settled or released once. */
function createCountingMeter() {
  const open = new Set<string>();
  const outcomes: TurnOutcome[] = [];
  const free = createFreeMeter();
  const meter: Meter = {
    async open(turn) {
      const hold = await free.open(turn);
      open.add(turn.inferenceId);
      return {
        ...hold,
        outputTokensMax: hold.outputTokensMax,
        async settle(outcome) {
          const charge = await hold.settle(outcome);
          outcomes.push(outcome);
          open.delete(turn.inferenceId);
          return charge;
        },
        async release(failure) {
          await hold.release(failure);
          open.delete(turn.inferenceId);
        },
      };
    },
  };
  return { open, outcomes, meter };
}

const apiKey = 'leaving-clients-0123456789';
let host: Supervisor;
let app: ReturnType<typeof createHttpApp>;
let server: { readonly baseUrl: string; readonly apiKey: string };
const { meter, open: openHolds, outcomes } = createCountingMeter();
/** Changed by tests between requests. */
const settings: { -readonly [Name in keyof HttpSettings]: HttpSettings[Name] } = { ...httpSettingsDefault };

beforeAll(async () => {
  const { path, sha256, weights, licence } = await obtainTestModel();
  host = new Supervisor({
    load: {
      modelPath: path,
      kvCells: 8_192,
      contextTokensMax: 4_096,
      threads: 1,
      kvType: 'f16',
      prefixCacheCells: 4_096,
    },
    queueLengthMax: 256,
  });
  await host.settled();
  const engine = createLlamaEngine({
    id: 'embedded',
    host,
    weightsName: weights,
    licence,
    digest: sha256.slice(0, 8),
    defaultOutputTokens: 1_024,
  });
  const models = createModelDirectory([
    { id: modelName, wireName: 'kimi-k2-turbo-preview', aliases: [], engine, created: 0 },
  ]);
  const clock = { now: () => Date.now() };
  app = createHttpApp({
    chat: createChatService({
      models,
      meterTurn: createTurnMetering({ meter, nowMs: () => performance.now() }),
    }),
    keys: {
      authenticate: () => ({ accountId: 1, keyId: 1, keyPrefix: 'leaving', scopes: null, origin: 'api' }),
    },
    models,
    probeSearch: async () => [],
    formulas: noFormulas,
    caches: noCaches,
    files: noFiles,
    platform: noPlatform,
    people: noPeople,
    playgroundKeys: noPlaygroundKeys,
    systemHealth: async () => {
      throw new Error('nobody asks here');
    },
    readiness: () => ({ isReady: true, checks: [] }),
    settings,
    version: '0.0.0',
    clock,
    ids: createIdSource(clock),
    logger: pino({ level: 'silent' }),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo; // It listens on TCP.
  server = { baseUrl: `http://127.0.0.1:${port}/v1`, apiKey };
}, 120_000);

afterAll(async () => {
  await app.close();
  await host.close();
});

/** Reads some events of a long answer and leaves without a word. */
async function visitAndLeave(visitor: number, fields: object = {}): Promise<void> {
  const leave = new AbortController();
  const body = {
    messages: [{ role: 'user', content: `Visitor ${visitor}: count from 1 to 500.` }],
    max_tokens: 256,
    ...fields,
    stream: true,
  };
  const payloads = readPayloads(await postChat(server, body, { signal: leave.signal }));
  for (let read = 0; read <= visitor % 2; read++) await payloads.next();
  leave.abort();
}

async function visitInCrowds(count: number): Promise<void> {
  let next = 0;
  const walk = async () => {
    while (next < count) await visitAndLeave(next++);
  };
  await Promise.all(Array.from({ length: crowd }, walk));
}

/** Polls, because nothing tells when the last abort has arrived; the test's own limit ends a wait in vain. */
async function waitUntilIdle() {
  for (;;) {
    const stats = await host.stats();
    const isIdle = stats?.runningSequences === 0 && stats.queuedGenerations === 0 && openHolds.size === 0;
    if (stats !== undefined && isIdle) return stats;
    await sleep(20);
  }
}

describe('clients that leave mid-stream', () => {
  it('leave no sequence, queued generation, prompt, hold or memory behind', async () => {
    await visitInCrowds(crowd); // Fills the prefix cache and the allocators' pools.
    const before = await waitUntilIdle();
    await visitInCrowds(clients);
    const after = await waitUntilIdle();
    expect(after).toMatchObject({ runningSequences: 0, queuedGenerations: 0, heldPrompts: 0, restarts: 0 });
    expect(openHolds).toEqual(new Set());
    // What stays in the cells is the prefix cache, which has a bound of its own.
    expect(after.kvCellsUsed).toBeLessThanOrEqual(4_096);
    expect(after.residentBytes - before.residentBytes).toBeLessThan(64 * 1_048_576);
    expect(
      await new Promise((resolve) => app.server.getConnections((_, count) => resolve(count))),
    ).toBeLessThan(clients);
    const answer = await foldStream(
      await postChat(server, { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8, stream: true }),
    );
    expect(answer.choices[0]?.finish_reason).toMatch(/^(stop|length)$/);
  }, 180_000);

  it.each([
    ['stop', 'client_left'],
    ['finish', 'succeeded'],
  ] as const)(
    'are charged by the setting onClientLeft: %s',
    async (onClientLeft, status) => {
      settings.onClientLeft = onClientLeft;
      outcomes.length = 0;
      // The answer is not at its end before the server hears that its reader left.
      await visitAndLeave(1, longAnswer(100));
      await waitUntilIdle();
      settings.onClientLeft = 'stop';
      expect(outcomes).toMatchObject([{ status }]);
      expect(outcomes[0]?.usage.completionTokens).toBeGreaterThan(0);
    },
    60_000,
  );
});
