/** The real application over a real store: an account with credit, a regular key and a management key. */
import type { InjectOptions } from 'fastify';
import { onTestFinished } from 'vitest';
import { openTestStore, type StoreKind } from '../../../test/services/test-stores.ts';
import { createAccount } from '../../accounts/create-account.ts';
import { createPeople, type PeopleSettings } from '../../accounts/create-people.ts';
import { openLedgerMeter } from '../../billing/ledger-meter.ts';
import { buildCaching, type Caching } from '../../build-caching.ts';
import { buildLimits } from '../../build-limits.ts';
import { buildPlatform, measureTurns } from '../../build-platform.ts';
import type { ContextCaches } from '../../caching/context-caches.ts';
import { loadConfig } from '../../config.ts';
import type { ModelDirectory } from '../../engines/registry.ts';
import { createIdempotentAnswers } from '../../idempotency/idempotent-answers.ts';
import { createKey } from '../../keys/api-keys.ts';
import { createKeyDirectory } from '../../keys/key-directory.ts';
import { createPlaygroundKeys } from '../../keys/playground-keys.ts';
import type { LimitAdministration } from '../../limits/limit-administration.ts';
import type { Store } from '../../store/store.ts';
import { createRefusalLog } from '../../usage/refusal-log.ts';
import {
  createTestApp,
  type TestApp,
  type TestAppOptions,
  type TestSearch,
  testNowMs,
} from './create-test-app.ts';
import { chatBody } from './wire.ts';

type Answer = Awaited<ReturnType<TestApp['app']['inject']>>;

export interface PlatformApp extends TestApp {
  readonly store: Store;
  readonly limits: LimitAdministration;
  readonly accountId: number;
  readonly key: string;
  readonly managementKey: string;
  /** Makes another account and returns its key. */
  addStranger(): Promise<string>;
  /** Lets the background work of context caches do what is due. */
  tendCaches(): Promise<void>;
  /** Moves the clock that everything reads. */
  setNow(ms: number): void;
  /** With the regular key, or another one. */
  send(request: InjectOptions, secret?: string): Promise<Answer>;
  /** One chat completion, paid for. */
  chat(fields?: Record<string, unknown>, secret?: string): Promise<Answer>;
}

export interface PlatformAppOptions extends TestAppOptions {
  /** Default: everybody may sign up, without credit, mail or a provider. */
  readonly people?: Partial<PeopleSettings>;
  readonly openSearch?: (store: Store, now: () => number) => TestSearch;
}

export const testPublicUrl = 'http://127.0.0.1:8787';

/** 10 USD on the account; the clock stands at `testNowMs`, but for sessions, whose clock is better-auth's own. */
export async function openPlatformApp(
  kind: StoreKind,
  { people: peopleSettings, openSearch, ...options }: PlatformAppOptions = {},
): Promise<PlatformApp> {
  const store = await openTestStore(kind);
  let nowMs = testNowMs;
  const clock = { now: () => nowMs };
  const addAccount = async (email: string) =>
    await createAccount(
      store,
      { email, password: 'long enough', isAdmin: false, openingCreditNanoUsd: 10_000_000_000n },
      clock.now,
    );
  const account = await addAccount('ada@example.org');
  const { secret: key } = await createKey(store, { accountId: account.id, name: 'first' }, clock.now);
  const management = await createKey(store, { accountId: account.id, kind: 'management' }, clock.now);
  const meter = await openLedgerMeter(store, { now: clock.now });
  onTestFinished(async () => await meter.close());
  // Every call sees the generation of its own moment, so that a change holds at once.
  let ticksMs = 0;
  const limits = buildLimits(store, {
    config: loadConfig({ environment: {} }),
    logger: { info: () => undefined, warn: () => undefined },
    now: clock.now,
  });
  onTestFinished(async () => await limits.close());
  const keys = createKeyDirectory(store, {
    now: clock.now,
    monotonicNow: () => (ticksMs += 1_000),
    readRateLimits: limits.readRateLimits,
  });
  const platform = buildPlatform(store, clock, {
    limits: limits.administration,
    signUpCreditNanoUsd: peopleSettings?.signUpCreditNanoUsd ?? 0n,
  });
  const people = createPeople(store, {
    settings: {
      signUpMode: 'open',
      signUpCreditNanoUsd: 0n,
      authSecret: undefined,
      smtp: undefined,
      oidc: undefined,
      ...peopleSettings,
    },
    publicUrl: () => testPublicUrl,
    onResetError: (error) => {
      throw error;
    },
  });
  onTestFinished(async () => await people.close());
  const playgroundKeys = createPlaygroundKeys(store, { readRateLimits: limits.readRateLimits });
  const refusals = createRefusalLog(store, {
    now: clock.now,
    onError: (error) => {
      throw error;
    },
  });
  const idempotentAnswers = createIdempotentAnswers(store, {
    serverId: meter.serverId,
    now: clock.now,
    isStoppedWithoutReaders: options.settings?.onClientLeft !== 'finish',
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(() => idempotentAnswers.close());
  let caching: Caching | undefined;
  let cacheCount = 0;
  const createCaches = (models: ModelDirectory): ContextCaches => {
    caching = buildCaching(store, {
      models,
      prices: platform.prices,
      serverId: meter.serverId,
      cachesMax: 5,
      admitTurn: limits.limiter.admit,
      ids: { next: () => (++cacheCount).toString(16).padStart(24, '0') },
      now: clock.now,
      onError: (error) => {
        throw error;
      },
    });
    return caching.caches;
  };
  onTestFinished(async () => await caching?.worker.close());
  const testApp = createTestApp({
    createCaches,
    ...options,
    ...(openSearch !== undefined && { search: openSearch(store, clock.now) }),
    meter: measureTurns(limits.limiter.limitMeter(meter), platform),
    admitTurn: limits.limiter.admit,
    onRefused: refusals.record,
    overrides: { keys, clock, platform, people, playgroundKeys, idempotentAnswers, ...options.overrides },
  });
  const send = async (request: InjectOptions, secret = key): Promise<Answer> =>
    await testApp.app.inject({
      ...request,
      headers: { authorization: `Bearer ${secret}`, ...request.headers },
    });
  return {
    ...testApp,
    tendCaches: async () => {
      await caching?.worker.nudge();
      await caching?.worker.settled();
      await caching?.worker.nudge();
    },
    store,
    limits: limits.administration,
    accountId: account.id,
    key,
    managementKey: management.secret,
    addStranger: async () => {
      const stranger = await addAccount('eve@example.org');
      return (await createKey(store, { accountId: stranger.id }, clock.now)).secret;
    },
    setNow: (ms) => {
      nowMs = ms;
    },
    send,
    chat: async (fields = {}, secret = key) =>
      await send({ method: 'POST', url: '/v1/chat/completions', payload: chatBody(fields) }, secret),
  };
}
