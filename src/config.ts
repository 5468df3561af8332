/**
 * The only reader of the environment and of the configuration file. Everything else receives the frozen `Config`.
 * A value is taken from the first place that names it: flag, environment, file, default.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import type { Setting } from './setting.ts';
import {
  type Config,
  environmentNameOf,
  fileKeyOf,
  flagNameOf,
  listSettings,
  type SettingName,
  settings,
} from './settings.ts';
import { findUnknownVariables, type UnknownVariable } from './unknown-variables.ts';

/** A setting that cannot be used. The message names the setting, where it was set and what it must look like. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Where values come from; a test passes its own, the program passes nothing. */
export interface ConfigSources {
  /** Flags by camelCase setting name, as the command line parsed them. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Told of each `PERIGEE_…` variable that is no setting. No error: other programs may have such variables too. */
  readonly onUnknownVariable?: (variable: UnknownVariable) => void;
}

interface Origin {
  readonly value: unknown;
  /** Words for an error message, e.g. `PERIGEE_PORT`. */
  readonly place: string;
}

type FileValues = Readonly<Record<string, unknown>>;

const fileNames = ['perigee.yaml', 'perigee.yml', 'perigee.json'];

/** Reads every setting. Throws ConfigError for an unknown key, an unreadable file or a value out of bounds. */
export function loadConfig(sources: ConfigSources = {}): Config {
  const environment = sources.environment ?? process.env;
  const flags = sources.flags ?? {};
  const explicitFile = parseSetting('config', findFlagOrVariable('config', flags, environment));
  const dataDir = parseSetting('dataDir', findFlagOrVariable('dataDir', flags, environment));
  const file = readConfigFile(explicitFile, dataDir);
  const values: Record<string, unknown> = {};
  for (const { name } of listSettings()) {
    const origin = findFlagOrVariable(name, flags, environment) ?? findInFile(name, file);
    values[name] = parseSetting(name, origin);
  }
  values.config = file.path;
  // Each value came out of the schema that Config's type is derived from.
  const config = Object.freeze(values) as unknown as Config;
  const keyVariables = Object.values(config.engines ?? {}).flatMap(({ api_key_env: name }) => name ?? []);
  for (const variable of findUnknownVariables(environment, keyVariables)) {
    sources.onUnknownVariable?.(variable);
  }
  return withUpstreamKeys(config, environment);
}

/** Checks one value of one setting and gives it its type. */
function parseSetting<Name extends SettingName>(name: Name, origin: Origin | undefined): Config[Name] {
  const schema: z.ZodType = settings[name].schema;
  const result = schema.safeParse(origin?.value);
  if (result.success) return result.data as Config[Name]; // The output type of this very schema.
  const details = result.error.issues.map((issue) => {
    const inner = issue.path.length > 0 ? `at \`${issue.path.join('.')}\`: ` : '';
    return `${inner}${issue.message}`;
  });
  const setting: Setting = settings[name];
  const shown = setting.isSecret || typeof origin?.value === 'object' ? '' : ` (got \`${origin?.value}\`)`;
  throw new ConfigError(
    `${origin?.place ?? environmentNameOf(name)}: ${details.join('; ')}${shown}. ` +
      `This setting: ${setting.description}`,
  );
}

function findFlagOrVariable(
  name: SettingName,
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Origin | undefined {
  const setting: Setting = settings[name];
  if (flags[name] !== undefined) return { value: flags[name], place: flagNameOf(name) };
  for (const variable of [environmentNameOf(name), ...(setting.environmentAliases ?? [])]) {
    const value = environment[variable];
    // An empty variable counts as not set: compose files and CI systems pass empty ones along.
    if (value !== undefined && value !== '') return { value, place: variable };
  }
  return undefined;
}

function findInFile(name: SettingName, file: { path: string | undefined; values: FileValues }) {
  const value = file.values[fileKeyOf(name)];
  return value === undefined ? undefined : { value, place: `${fileKeyOf(name)} in ${file.path}` };
}

function readConfigFile(explicitFile: string | undefined, dataDir: string) {
  const filePath =
    explicitFile ?? fileNames.map((name) => path.join(dataDir, name)).find((file) => existsSync(file));
  if (filePath === undefined) return { path: undefined, values: {} };
  const values = parseConfigFile(filePath);
  const known = new Set(listSettings().map(({ name }) => fileKeyOf(name)));
  for (const key of Object.keys(values)) {
    if (known.has(key) && key !== 'config' && (key !== 'data_dir' || explicitFile !== undefined)) continue;
    throw new ConfigError(
      key === 'data_dir'
        ? `${filePath} lies in the data folder, so it cannot set \`data_dir\`; use --data-dir or PERIGEE_DATA_DIR.`
        : `${filePath}: \`${key}\` is not a setting. The settings: ${[...known].join(', ')}.`,
    );
  }
  return { path: filePath, values };
}

function parseConfigFile(filePath: string): FileValues {
  let document: unknown;
  try {
    // JSON is YAML too, so one parser reads both.
    document = parseYaml(readFileSync(filePath, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`The configuration file ${filePath} cannot be read: ${reason}`, { cause: error });
  }
  if (document === null || document === undefined) return {};
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new ConfigError(`The configuration file ${filePath} must hold settings as \`name: value\`.`);
  }
  return document as FileValues; // An object that is no array: string keys, unknown values.
}

/**
 * Replaces each engine's `api_key_env` by the key it names, so that nobody else needs the environment. One whose
 * variable is not set keeps it: only who makes the engine needs the key, and no other command should fail for it.
 */
function withUpstreamKeys(config: Config, environment: Readonly<Record<string, string | undefined>>): Config {
  if (config.engines === undefined) return config;
  const engines = Object.fromEntries(
    Object.entries(config.engines).map(([id, engine]) => {
      if (engine.api_key_env === undefined) return [id, engine];
      const { api_key_env: variable, ...rest } = engine;
      const key = environment[variable];
      if (key === undefined || key === '') return [id, engine];
      return [id, { ...rest, api_key: key }];
    }),
  );
  return Object.freeze({ ...config, engines });
}
