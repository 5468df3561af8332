/**
 * A program for the tests over several server processes: the real HTTP application, ledger, keys and limits over a
 * database, and an engine that plays a script. An answer uses exactly what was held for it, so charges can
 * be counted; one whose message is `wait` goes on until its client leaves. Prints its address.
 */
import { openLedgerMeter } from '../../src/billing/ledger-meter.ts';
import { buildLimits } from '../../src/build-limits.ts';
import { buildPlatform } from '../../src/build-platform.ts';
import { loadConfig } from '../../src/config.ts';
import { createBarrier } from '../../src/engines/scripted/barrier.ts';
import type { Script } from '../../src/engines/scripted/scripted-engine.ts';
import { createTestApp } from '../../src/http/__fixtures__/create-test-app.ts';
import { createIdSource } from '../../src/http/create-id-source.ts';
import { createIdempotentAnswers } from '../../src/idempotency/idempotent-answers.ts';
import { createKeyDirectory } from '../../src/keys/key-directory.ts';
import { openStore } from '../../src/store/open-store.ts';

const [databaseUrl = '', redisUrl = '', dataDir = ''] = process.argv.slice(2);
const promptTokens = 10;
const store = await openStore({
  dataDir,
  databaseUrl: databaseUrl === '' ? undefined : databaseUrl,
  purpose: 'server',
});
const clock = { now: () => Date.now() };
const limits = buildLimits(store, {
  config: loadConfig({ environment: { PERIGEE_REDIS_URL: redisUrl } }),
  logger: { info: () => undefined, warn: () => undefined },
});
const meter = await openLedgerMeter(store);

const script: Script = ({ request, outputTokensMax }) => [
  { type: 'text-delta', choice: 0, text: 'Hello' },
  ...(JSON.stringify(request.messages).includes('"wait"')
    ? [{ type: 'wait', barrier: createBarrier() } as const]
    : []),
  { type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: outputTokensMax },
  {
    type: 'finish',
    usage: { promptTokens, cachedTokens: 0, completionTokens: outputTokensMax, source: 'engine' },
  },
];

const { app } = createTestApp({
  script,
  promptTokens,
  meter: limits.limiter.limitMeter(meter),
  admitTurn: limits.limiter.admit,
  overrides: {
    keys: createKeyDirectory(store, { readRateLimits: limits.readRateLimits }),
    clock,
    platform: buildPlatform(store, clock, { limits: limits.administration, signUpCreditNanoUsd: 0n }),
    ids: createIdSource(clock),
    idempotentAnswers: createIdempotentAnswers(store, {
      serverId: meter.serverId,
      now: clock.now,
      isStoppedWithoutReaders: true,
      onError: () => undefined,
    }),
  },
});
await limits.opened();
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${url}\n`);
