/** From the configuration to engines and the names they are served under. */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { ConfigError } from './config.ts';
import { createDeferredEngine, type DeferredEngine } from './engines/deferred-engine.ts';
import type { Engine } from './engines/engine.ts';
import { createLlamaEngine } from './engines/llama/llama-engine.ts';
import { type ProcessChange, Supervisor, type SupervisorStats } from './engines/llama/supervisor.ts';
import { createOpenAiCompatibleEngine } from './engines/openai-compatible/openai-compatible-engine.ts';
import type { ServedModel } from './engines/registry.ts';
import { ModelError } from './models/model-error.ts';
import { obtainModel } from './models/obtain-model.ts';
import { findPreset } from './models/presets.ts';
import type { ModelProgress, OnModelProgress } from './models/progress.ts';
import type { Config } from './settings.ts';
import { decodeEngineSettings } from './upstream-settings.ts';

/** The name under which the `models` setting finds the embedded engine. */
const embeddedId = 'embedded';

const defaultModels: NonNullable<Config['models']> = {
  'moonshot/kimi-k2-turbo-preview': {
    engine: embeddedId,
    aliases: ['kimi-k2-turbo-preview', 'kimi-k2-turbo'],
  },
};

/** Tokens of the shared cache, and of one window, when the configuration names none. */
const kvCellsDefault = 32_768;

const bytesPerMegabyte = 2 ** 20;

export interface BuiltEngines {
  readonly servedModels: readonly ServedModel[];
  /** Resolves when the embedded model is loaded or has failed to load, and every upstream was asked once. */
  readonly started: Promise<void>;
  close(): Promise<void>;
}

export type EngineChange =
  | ProcessChange
  /** What of the model's own chat template could not be used, and what is used instead. */
  | { readonly type: 'template-replaced'; readonly detail: string };

export interface EngineHooks {
  readonly onModelProgress: OnModelProgress;
  /** What happens to the embedded engine, for the log. */
  readonly onEngineChange: (change: EngineChange) => void;
  /** Given once, before the model is loaded: how busy the embedded engine is. */
  readonly onEmbeddedStats?: (read: () => Promise<SupervisorStats | undefined>) => void;
}

/** Makes every engine and begins to load the embedded model. Throws as `checkEngineSettings`. */
export function buildEngines(config: Config, hooks: EngineHooks): BuiltEngines {
  checkEngineSettings(config);
  const models = Object.entries(config.models ?? defaultModels);
  const upstreams = config.engines ?? {};
  const embedded = usesEmbeddedEngine(config) ? createEmbedded(config, hooks) : undefined;
  const started: Promise<void>[] = embedded === undefined ? [] : [embedded.started];
  const engines = new Map<string, Engine>(embedded === undefined ? [] : [[embeddedId, embedded]]);
  for (const [id, settings] of Object.entries(upstreams)) {
    const options = decodeEngineSettings(id, settings, config.outputTokensDefault);
    const engine = createOpenAiCompatibleEngine(options);
    engines.set(id, engine);
    started.push(engine.asked);
  }
  const created = Math.floor(Date.now() / 1_000);
  const servedModels = models.flatMap(([id, { engine: engineId, aliases, wire_name: wireName }]) => {
    const engine = engines.get(engineId);
    // `checkModels` has seen to it that every name leads to an engine.
    if (engine === undefined) return [];
    return [
      {
        id,
        wireName: wireName ?? lastPartOf(id),
        aliases: aliases ?? [],
        engine,
        created,
      },
    ];
  });
  return {
    servedModels,
    started: Promise.all(started).then(() => undefined),
    close: async () => {
      await Promise.all(Array.from(engines.values(), (engine) => engine.close()));
    },
  };
}

/** Throws ConfigError for a name that leads nowhere, or to two models, and for a key that is not there. */
export function checkEngineSettings(config: Config): void {
  const upstreams = config.engines ?? {};
  if (upstreams[embeddedId] !== undefined) {
    throw new ConfigError(`engines: \`${embeddedId}\` is the name of the embedded engine; choose another.`);
  }
  checkModels(Object.entries(config.models ?? defaultModels), config);
  checkKeys(upstreams);
}

/** Whether any served name leads to the embedded engine. */
export function usesEmbeddedEngine(config: Config): boolean {
  return Object.values(config.models ?? defaultModels).some(({ engine }) => engine === embeddedId);
}

/** The id of the served model that answers to a name, as far as the configuration tells; no engine is made. */
export function findServedId(config: Config, name: string): string | undefined {
  const models = Object.entries(config.models ?? defaultModels);
  return models.find(([id, { aliases = [], wire_name: wireName = lastPartOf(id) }]) =>
    [id, wireName, ...aliases].includes(name),
  )?.[0];
}

const lastPartOf = (id: string): string => id.slice(id.lastIndexOf('/') + 1);

/** A variable that is still named here was not set; see `config.ts`. */
function checkKeys(upstreams: NonNullable<Config['engines']>): void {
  for (const [id, { api_key_env: variable }] of Object.entries(upstreams)) {
    if (variable === undefined) continue;
    throw new ConfigError(`engines.${id}: the environment variable ${variable} is not set.`);
  }
}

type NamedModel = [string, NonNullable<Config['models']>[string]];

function checkModels(models: readonly NamedModel[], config: Config): void {
  const idByName = new Map<string, string>();
  for (const [id, { engine, aliases = [], wire_name: wireName = lastPartOf(id) }] of models) {
    for (const name of new Set([id, wireName, ...aliases])) {
      const other = idByName.get(name);
      if (other !== undefined) {
        throw new ConfigError(
          `models: \`${other}\` and \`${id}\` are both served as \`${name}\`. Give one of them another \`wire_name\` or alias.`,
        );
      }
      idByName.set(name, id);
    }
    if (engine === embeddedId && config.model === 'none') {
      throw new ConfigError(
        `The model \`${id}\` is served by the embedded engine, which \`model: none\` turns off. ` +
          'Name an upstream server in `engines` and `models` (docs/engines.md).',
      );
    }
    if (engine !== embeddedId && config.engines?.[engine] === undefined) {
      throw new ConfigError(
        `models: \`${id}\` names the engine \`${engine}\`, which \`engines\` does not have.`,
      );
    }
  }
}

function createEmbedded(config: Config, hooks: EngineHooks): DeferredEngine {
  const preset = findPreset(config.model);
  return createDeferredEngine({
    id: embeddedId,
    kind: 'llama',
    backing: {
      weights: preset?.weights ?? path.basename(config.model, '.gguf'),
      sizeBytes: preset?.sizeBytes,
      licence: preset?.licence,
      contextTokens: config.contextTokens ?? 0,
      digest: preset?.sha256?.slice(0, 8) ?? '',
      isSchemaEnforced: true,
    },
    start: (report, signal) => startEmbedded(config, { ...hooks, report, signal }),
    describeFailure: (error) =>
      error instanceof ModelError ? error.message : `The model could not be loaded: ${String(error)}`,
  });
}

/** What is asked for; model and memory may lower it. */
export function embeddedContext({ kvCells, contextTokens }: Config): {
  readonly kvCells: number;
  readonly contextTokensMax: number;
} {
  return {
    kvCells: kvCells ?? Math.max(kvCellsDefault, contextTokens ?? 0),
    contextTokensMax: contextTokens ?? kvCellsDefault,
  };
}

interface StartHooks extends EngineHooks {
  readonly report: (detail: string) => void;
  readonly signal: AbortSignal;
}

/** Fetches the file when it is not here, then loads it. */
async function startEmbedded(config: Config, hooks: StartHooks): Promise<Engine> {
  const file = await obtainModel(config.model, {
    modelsDir: path.join(config.dataDir, 'models'),
    hubUrl: config.hubUrl,
    signal: hooks.signal,
    onProgress: (progress) => {
      hooks.report(describeFetch(progress));
      hooks.onModelProgress(progress);
    },
  });
  // From here on the listener below sees to it; one added after the signal fired would never be called.
  hooks.signal.throwIfAborted();
  hooks.report('The model is being loaded into memory.');
  const context = embeddedContext(config);
  const host = new Supervisor({
    load: {
      modelPath: file.path,
      ...context,
      threads: config.threads ?? availableParallelism(),
      kvType: config.kvType,
      prefixCacheCells: config.prefixCacheTokens,
      prefixFiles: {
        folder: path.join(config.dataDir, 'prefixes'),
        bytesMax: config.prefixDiskMegabytes * bytesPerMegabyte,
        modelDigest: file.sha256,
      },
    },
    queueLengthMax: config.queueLengthMax,
    onChange: hooks.onEngineChange,
  });
  hooks.onEmbeddedStats?.(() => host.stats());
  // A close during the load must not wait for it.
  const stop = (): void => void host.close();
  hooks.signal.addEventListener('abort', stop, { once: true });
  await host.settled();
  return createLlamaEngine({
    id: embeddedId,
    host,
    weightsName: file.weights,
    licence: file.licence,
    digest: file.sha256.slice(0, 8),
    defaultOutputTokens: config.outputTokensDefault,
    systemText: file.systemText,
    onTemplateNote: (detail) => hooks.onEngineChange({ type: 'template-replaced', detail }),
  });
}

function describeFetch(progress: ModelProgress): string {
  if (progress.type !== 'bytes') return 'The model file is being fetched.';
  const { receivedBytes, totalBytes } = progress;
  if (totalBytes === undefined) return `The model file is being fetched (${receivedBytes} bytes so far).`;
  return `The model file is being fetched (${Math.floor((receivedBytes / totalBytes) * 100)} %).`;
}
