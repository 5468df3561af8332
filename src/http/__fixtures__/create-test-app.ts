import type { FastifyInstance } from 'fastify';
import { createFreeMeter } from '../../billing/free-meter.ts';
import type { Meter } from '../../billing/meter.ts';
import { createTurnMetering, type MeterTurn } from '../../billing/metered-turn.ts';
import type { ContextCaches } from '../../caching/context-caches.ts';
import { createChatService } from '../../chat/chat-service.ts';
import type { FormulaService } from '../../chat/formula-service.ts';
import { logRefusals, type RefusedTurn } from '../../chat/log-refusals.ts';
import type { ToolLoop } from '../../chat/tool-loop.ts';
import type { Caller } from '../../chat/types.ts';
import { createModelDirectory, type ModelDirectory } from '../../engines/registry.ts';
import {
  createScriptedEngine,
  type ScriptedEngine,
  type ScriptedEngineOptions,
} from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import type { TurnLimiter } from '../../limits/turn-limiter.ts';
import { createHttpApp } from '../create-http-app.ts';
import { type HttpDependencies, type HttpSettings, httpSettingsDefault } from '../http-dependencies.ts';
import { noFormulas } from './no-formulas.ts';
import { noPeople, noPlaygroundKeys } from './no-people.ts';
import { noCaches, noFiles, noPlatform } from './no-platform.ts';
import { testModelId } from './wire.ts';

export const testKey = 'a-key-that-is-long-enough-for-a-test';
export const authorization = { authorization: `Bearer ${testKey}` };

/** 2026-01-02T03:04:05Z. */
export const testNowMs = Date.UTC(2026, 0, 2, 3, 4, 5);

export interface TestAppOptions extends Partial<ScriptedEngineOptions> {
  readonly settings?: Partial<HttpSettings>;
  readonly caller?: Partial<Caller>;
  /** Default: every turn is free. */
  readonly meter?: Meter;
  /** Told of turns that were refused. */
  readonly onRefused?: (turn: RefusedTurn) => void;
  /** Default: nothing is limited. */
  readonly admitTurn?: TurnLimiter['admit'];
  /** Default: none; whoever asks for one hears of it. */
  readonly createCaches?: (models: ModelDirectory) => ContextCaches;
  /** Default: builtin tools are refused. */
  readonly search?: TestSearch;
  readonly overrides?: Partial<HttpDependencies>;
}

export interface TestSearch {
  readonly toolLoop: ToolLoop;
  readonly createFormulas: (parts: {
    readonly models: ModelDirectory;
    readonly meterTurn: MeterTurn;
  }) => FormulaService;
}

export interface TestApp {
  readonly app: FastifyInstance;
  readonly engine: ScriptedEngine;
  /** What was logged, in order. */
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[];
}

/** The real application, chat core and metering over a scripted engine, with a fixed clock and counted ids. */
export function createTestApp(options: TestAppOptions = {}): TestApp {
  const { settings, caller, overrides, meter, admitTurn, onRefused, createCaches, search, ...engineOptions } =
    options;
  const engine = createScriptedEngine({ script: () => [], ...engineOptions });
  const models = createModelDirectory([
    {
      id: testModelId,
      wireName: 'kimi-k2-turbo-preview',
      aliases: ['kimi-k2-turbo'],
      engine,
      created: 1_757_030_400,
    },
  ]);
  const meterTurn = createTurnMetering({ meter: meter ?? createFreeMeter(), nowMs: () => performance.now() });
  const logged: TestApp['logged'] = [];
  const log = (level: string) => (fields: object, message: string) => {
    logged.push({ level, fields, message });
  };
  let idCount = 0;
  const app = createHttpApp({
    chat: logRefusals(
      createChatService({
        models,
        meterTurn,
        ...(admitTurn !== undefined && { admitTurn }),
        ...(search !== undefined && { toolLoop: search.toolLoop }),
      }),
      { onRefused: onRefused ?? (() => undefined), nowMs: () => performance.now() },
    ),
    keys: {
      authenticate(secret) {
        if (secret !== testKey) throw new ApiError('invalid_api_key');
        return { accountId: 1, keyId: 1, keyPrefix: 'a-key-th', scopes: null, origin: 'api', ...caller };
      },
    },
    formulas: search?.createFormulas({ models, meterTurn }) ?? noFormulas,
    models,
    caches: createCaches?.(models) ?? noCaches,
    files: noFiles,
    platform: noPlatform,
    people: noPeople,
    playgroundKeys: noPlaygroundKeys,
    readiness: () => ({ isReady: true, checks: [{ name: 'store', state: 'ready', detail: '' }] }),
    systemHealth: async () => ({
      nodeVersion: 'v24.0.0',
      startedAt: testNowMs,
      memory: { residentBytes: 4, heapBytes: 2, machineTotalBytes: 16, machineFreeBytes: 8 },
      disk: { totalBytes: 100, freeBytes: 50 },
      store: { kind: 'sqlite', sizeBytes: 10 },
      jobs: [],
    }),
    probeSearch: async () => [],
    settings: { ...httpSettingsDefault, ...settings },
    version: '0.0.0',
    clock: { now: () => testNowMs },
    ids: { next: () => (++idCount).toString(16).padStart(24, '0') },
    logger: { info: log('info'), warn: log('warn'), error: log('error') },
    ...overrides,
  });
  return { app, engine, logged };
}
