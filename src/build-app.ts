/**
 * Wires the parts together: store, keys, engines, chat, HTTP. The only file that knows all of them; nothing here
 * decides anything about a request.
 */
import { type BootstrapResult, seedBootstrap } from './accounts/seed-bootstrap.ts';
import { type LedgerMeter, openLedgerMeter } from './billing/ledger-meter.ts';
import { createTurnMetering } from './billing/metered-turn.ts';
import { parseUsd } from './billing/money.ts';
import { buildCaching } from './build-caching.ts';
import { buildEngines, checkEngineSettings, type EngineChange } from './build-engines.ts';
import { buildFiles, readS3Settings } from './build-files.ts';
import { buildLimits } from './build-limits.ts';
import { buildPeople, readPeopleSettings } from './build-people.ts';
import { buildPlatform, measureTurns } from './build-platform.ts';
import { buildWebSearch, checkSearchBackends } from './build-web-search.ts';
import { createChatService } from './chat/chat-service.ts';
import { logRefusals } from './chat/log-refusals.ts';
import { checkReadiness } from './check-readiness.ts';
import { createModelDirectory, type ModelDirectory } from './engines/registry.ts';
import { createOutputChecker } from './grammar/output-checker.ts';
import { createHttpApp } from './http/create-http-app.ts';
import { createIdSource } from './http/create-id-source.ts';
import { type HttpLogger, httpSettingsDefault, type Readiness } from './http/http-dependencies.ts';
import { createIdempotentAnswers } from './idempotency/idempotent-answers.ts';
import { createKeyDirectory } from './keys/key-directory.ts';
import { createPlaygroundKeys } from './keys/playground-keys.ts';
import { createServerMetrics } from './metrics/server-metrics.ts';
import type { OnModelProgress } from './models/progress.ts';
import { readSystemHealth } from './read-system-health.ts';
import type { Config } from './settings.ts';
import { createOpenTurns, shutDown } from './shut-down.ts';
import { openStore } from './store/open-store.ts';
import type { Store } from './store/store.ts';
import { tryAddress } from './try-address.ts';
import { createRefusalLog } from './usage/refusal-log.ts';
import { version } from './version.ts';
import { readWebFiles, type WebFiles, webFolderDefault } from './web-files.ts';

export interface AppHooks {
  readonly onModelProgress: OnModelProgress;
  readonly logger: HttpLogger;
}

export interface App {
  readonly models: ModelDirectory;
  /** What the first start made before it listened; undefined on every later one. Its secrets cannot be read again. */
  readonly firstStart: BootstrapResult | undefined;
  /** Resolves when every engine has been started or asked once, well or badly; `readiness` says which. */
  readonly modelStarted: Promise<void>;
  readiness(): Promise<Readiness>;
  /** Starts to accept requests; resolves to the server's address, e.g. `http://127.0.0.1:8787`. */
  listen(): Promise<string>;
  /**
   * Stops accepting, lets running turns end for at most `graceMs`, stops the rest, and closes engines and store.
   * False: the database did not answer, and not everything is closed (`shut-down.ts`). Safe to call once only.
   */
  close(graceMs: number): Promise<boolean>;
}

/** Opens the store and begins to load the model. Throws ConfigError, and when the store cannot be opened. */
export async function buildApp(config: Config, hooks: AppHooks): Promise<App> {
  checkSettings(config);
  const store = await openStore({
    dataDir: config.dataDir,
    databaseUrl: config.databaseUrl,
    purpose: 'server',
  });
  try {
    const meter = await openLedgerMeter(store, {
      onError: (error) => hooks.logger.warn({ err: error }, 'money that turns hold could not be tended'),
    });
    const webFiles = await readWebFiles(webFolderDefault);
    return wire(config, hooks, { store, meter, webFiles });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * What settings need of each other, before anything is opened: an engine that has begun to load would keep a process
 * that fails going. Throws ConfigError.
 */
function checkSettings(config: Config): void {
  checkEngineSettings(config);
  readPeopleSettings(config);
  readS3Settings(config);
  checkSearchBackends(config);
}

interface Opened {
  readonly store: Store;
  readonly meter: LedgerMeter;
  readonly webFiles: WebFiles;
}

const engineMessages: Readonly<Record<EngineChange['type'], string>> = {
  loaded: 'the model is loaded',
  'load-failed': 'the model cannot be loaded',
  crashed: "the embedded engine's process stopped and is started again",
  'template-replaced': "the model's own chat template is not used",
};

function wire(config: Config, hooks: AppHooks, { store, meter, webFiles }: Opened): App {
  const metrics = createServerMetrics();
  const engines = buildEngines(config, {
    onModelProgress: hooks.onModelProgress,
    onEmbeddedStats: (read) => metrics.watchEngine(read),
    onEngineChange: ({ type, ...detail }) => {
      if (type === 'loaded') hooks.logger.info(detail, engineMessages[type]);
      else hooks.logger.warn(detail, engineMessages[type]);
    },
  });
  const models = createModelDirectory(engines.servedModels);
  const clock = { now: () => Date.now() };
  const limits = buildLimits(store, { config, logger: hooks.logger });
  const readiness = (): Promise<Readiness> => checkReadiness(models, store, limits);
  const keys = createKeyDirectory(store, {
    readRateLimits: limits.readRateLimits,
    onWriteError: (error) => hooks.logger.warn({ err: error }, 'the last use of a key could not be written'),
  });
  // Known once the server listens; nobody comes before.
  let localUrl = `http://127.0.0.1:${config.port}`;
  const people = buildPeople(store, config, {
    localUrl: () => localUrl,
    onResetError: (error) =>
      hooks.logger.warn({ err: error }, 'a new password could not be prepared or mailed'),
  });
  const openTurns = createOpenTurns();
  const platform = buildPlatform(store, clock, {
    limits: limits.administration,
    signUpCreditNanoUsd: parseUsd(config.signUpCreditUsd),
  });
  const outputChecker = createOutputChecker();
  const refusals = createRefusalLog(store, {
    now: clock.now,
    onError: (error) => hooks.logger.warn({ err: error }, 'a refused request could not be logged'),
  });
  const idempotentAnswers = createIdempotentAnswers(store, {
    serverId: meter.serverId,
    now: clock.now,
    isStoppedWithoutReaders: config.onClientLeft === 'stop',
    onError: (error) => hooks.logger.warn({ err: error }, 'a kept answer could not be forgotten'),
  });
  const ids = createIdSource(clock);
  const { admit: admitTurn } = limits.limiter;
  const caching = buildCaching(store, {
    models,
    prices: platform.prices,
    serverId: meter.serverId,
    cachesMax: config.contextCachesMax,
    admitTurn,
    ids,
    now: clock.now,
    onError: (error) => hooks.logger.warn({ err: error }, 'a context cache could not be tended'),
  });
  const meterTurn = createTurnMetering({
    meter: measureTurns(limits.limiter.limitMeter(metrics.watchTurns(meter)), platform),
    nowMs: () => performance.now(),
    onTurn: openTurns.add,
  });
  const files = buildFiles(store, config, {
    ids,
    now: clock.now,
    onError: (error) => hooks.logger.warn({ err: error }, 'uploaded files could not be tended'),
  });
  const webSearch = buildWebSearch(store, { config, clock, logger: hooks.logger });
  const http = createHttpApp({
    chat: logRefusals(
      createChatService({ models, meterTurn, toolLoop: webSearch.toolLoop, admitTurn, outputChecker }),
      { onRefused: refusals.record, nowMs: () => performance.now() },
    ),
    formulas: webSearch.createFormulas({ models, meterTurn, admitTurn }),
    keys,
    models,
    caches: caching.caches,
    files,
    platform,
    people,
    playgroundKeys: createPlaygroundKeys(store, { readRateLimits: limits.readRateLimits }),
    metrics,
    idempotentAnswers,
    readiness,
    systemHealth: async () => ({
      ...(await readSystemHealth(store, {
        dataDir: config.dataDir,
        onUnmeasured: (error) =>
          hooks.logger.warn({ err: error }, 'the size of the database could not be measured'),
      })),
      jobs: [caching.worker, idempotentAnswers].map((worker) => worker.report()),
    }),
    probeSearch: webSearch.probeBackends,
    settings: {
      ...httpSettingsDefault,
      choiceCountMax: config.choiceCountMax,
      corsOrigins: config.corsOrigins,
      trustedProxies: config.trustedProxies ?? [],
      isDeterministicDefault: config.deterministic,
      onClientLeft: config.onClientLeft,
      metricsToken: config.metricsToken,
    },
    version,
    clock,
    ids,
    logger: hooks.logger,
    webFiles,
  });
  let firstStart: BootstrapResult | undefined;
  return {
    models,
    get firstStart() {
      return firstStart;
    },
    modelStarted: engines.started,
    readiness,
    listen: async () => {
      await limits.opened();
      const address = { host: config.host, port: config.port };
      // A start that fails shows no secrets, and the next one has none to show: the likeliest failure comes first.
      await tryAddress(address);
      firstStart = await seedBootstrap(store, {
        email: config.bootstrapEmail,
        password: config.bootstrapPassword,
        apiKey: config.bootstrapApiKey,
        managementKey: config.bootstrapManagementKey,
        creditUsd: config.bootstrapCreditUsd,
      });
      localUrl = await http.listen(address);
      return localUrl;
    },
    close: async (graceMs) =>
      await shutDown(
        {
          http,
          engines,
          outputChecker,
          webSearch,
          files,
          openTurns,
          idempotentAnswers,
          caching: caching.worker,
          meter,
          limits,
          people,
          store,
        },
        graceMs,
      ),
  };
}
