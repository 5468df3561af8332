/**
 * The yardstick of what metering costs: the same HTTP application, chat core and upstream engine, with one fixed key
 * and the empty meter; no ledger, no limits, no log, no counters. For the benchmark alone: nothing can configure it.
 */
import { setFlagsFromString } from 'node:v8';
import { createFreeMeter } from '../../src/billing/free-meter.ts';
import { createTurnMetering } from '../../src/billing/metered-turn.ts';
import { createChatService } from '../../src/chat/chat-service.ts';
import { restartWithFlags } from '../../src/cli/restart-with-flags.ts';
import { createOpenAiCompatibleEngine } from '../../src/engines/openai-compatible/openai-compatible-engine.ts';
import { createModelDirectory } from '../../src/engines/registry.ts';
import { createTestApp } from '../../src/http/__fixtures__/create-test-app.ts';
import { createIdSource } from '../../src/http/create-id-source.ts';
import { decodeEngineSettings, engineSettingsSchema } from '../../src/upstream-settings.ts';
import { modelName } from '../gateway/subjects.ts';

// As `serve` does: only the metering may differ.
restartWithFlags();
setFlagsFromString('--no-parallel-scavenge');

const [port = '', upstreamUrl = ''] = process.argv.slice(2);
const settings = engineSettingsSchema.parse({
  kind: 'openai-compatible',
  base_url: upstreamUrl,
  model: 'mock',
  connections_max: 8_192,
});
const engine = createOpenAiCompatibleEngine(decodeEngineSettings('mock', settings, 1_024));
const models = createModelDirectory([
  { id: modelName, wireName: 'kimi-k2-turbo-preview', aliases: [], engine, created: 0 },
]);
const clock = { now: () => Date.now() };
const ignore = (): void => undefined;
const { app } = createTestApp({
  overrides: {
    models,
    clock,
    chat: createChatService({
      models,
      meterTurn: createTurnMetering({ meter: createFreeMeter(), nowMs: () => performance.now() }),
    }),
    ids: createIdSource(clock),
    logger: { info: ignore, warn: ignore, error: ignore },
  },
});
await engine.asked;
await app.listen({ host: '127.0.0.1', port: Number(port) });
