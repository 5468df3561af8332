/**
 * Every setting of the server, as data: its meaning, its bounds and its default. One camelCase name gives all the
 * others: `dataDir` is `data_dir` in the file, `PERIGEE_DATA_DIR` in the environment and `--data-dir` on the command
 * line. `config.ts` reads the values; the table in docs/configuration.md is generated from here.
 */
import { z } from 'zod';
import { parseAllowEntry } from './egress/allow-list.ts';
import { fileSettings } from './file-settings.ts';
import { limitSettings } from './limit-settings.ts';
import { operationSettings } from './operation-settings.ts';
import { peopleSettings } from './people-settings.ts';
import { searchSettings } from './search-settings.ts';
import {
  filePath,
  flagText,
  integer,
  longKey,
  type Setting,
  setting,
  structured,
  textList,
  usd,
} from './setting.ts';
import { engineSettingsSchema, modelSettingsSchema } from './upstream-settings.ts';

export const settings = {
  config: setting({
    schema: filePath.optional(),
    description: 'Configuration file (YAML or JSON).',
    defaultText: '`perigee.yaml` in the data folder, when it exists',
    flag: { scope: 'everywhere', value: 'file' },
  }),
  dataDir: setting({
    schema: filePath.prefault('~/.perigee'),
    description: 'Folder of the database, the model files and everything else that must survive a restart.',
    defaultText: '`~/.perigee`',
    flag: { scope: 'everywhere', value: 'folder' },
  }),
  host: setting({
    schema: z.string().min(1).default('127.0.0.1'),
    description: 'Address to listen on; `0.0.0.0` for every network interface.',
    flag: { scope: 'address', value: 'address' },
  }),
  port: setting({
    schema: integer(0, 65_535).prefault(8787),
    description: 'TCP port to listen on; 0 picks a free one.',
    flag: { scope: 'address', value: 'number' },
  }),
  databaseUrl: setting({
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://')
      .optional(),
    description: 'PostgreSQL database to use instead of the SQLite file in the data folder.',
    defaultText: 'SQLite in the data folder',
    environmentAliases: ['DATABASE_URL'],
    isSecret: true,
  }),
  model: setting({
    schema: z.string().min(1).default('smollm2-135m'),
    description:
      'Weights of the embedded engine: a preset of `perigee models list`, or the path of a `.gguf` file; `none` starts no embedded engine.',
    flag: { scope: 'model', value: 'preset-or-path' },
  }),
  hubUrl: setting({
    schema: z.url({ protocol: /^https?$/ }).default('https://huggingface.co'),
    description: 'Where preset files are downloaded from: Hugging Face or a mirror with the same addresses.',
    flag: { scope: 'download', value: 'url' },
  }),
  contextTokens: setting({
    schema: integer(256, 1_048_576).optional(),
    description: 'Longest prompt and output together, in tokens.',
    defaultText: 'what the model was trained for, at most 32768',
    flag: { scope: 'serve', value: 'tokens' },
  }),
  kvCells: setting({
    schema: integer(256, 16_777_216).optional(),
    description:
      'Size of the key-value cache that all running requests share, in tokens; it is lowered to what memory allows.',
    defaultText: '32768, or the window when that is larger',
    flag: { scope: 'serve', value: 'tokens' },
  }),
  kvType: setting({
    schema: z.enum(['f16', 'q8_0']).default('f16'),
    description: 'Number format of the key-value cache; `q8_0` halves its memory and costs some precision.',
    flag: { scope: 'serve', value: 'f16|q8_0' },
  }),
  prefixCacheTokens: setting({
    schema: integer(0, 16_777_216).optional(),
    description:
      'Tokens of the key-value cache that finished requests may keep for later ones with the same beginning; running requests take them back when they need the room.',
    defaultText: 'three quarters of the key-value cache, and at least the window',
    flag: { scope: 'serve', value: 'tokens' },
  }),
  contextCachesMax: setting({
    schema: integer(0, 100_000).prefault(100),
    description: 'Context caches that an account may have at a time.',
    flag: { scope: 'rare', value: 'number' },
  }),
  prefixDiskMegabytes: setting({
    schema: integer(0, 16_777_216).prefault(4_096),
    description:
      'Disk space in the data folder for computed prompt beginnings: what context caches pin, and what the key-value cache has no room for; 0 keeps nothing on disk.',
    flag: { scope: 'serve', value: 'MiB' },
  }),
  threads: setting({
    schema: integer(1, 1_024).optional(),
    description: 'CPU threads of the embedded engine.',
    defaultText: 'the number of cores',
    flag: { scope: 'serve', value: 'number' },
  }),
  outputTokensDefault: setting({
    schema: integer(1, 1_048_576).prefault(1_024),
    description: 'Longest output in tokens when a request names none; bounded by the window.',
    flag: { scope: 'serve', value: 'tokens' },
  }),
  choiceCountMax: setting({
    schema: integer(1, 128).prefault(16),
    description: 'Largest `n` (answers to one prompt) that a request may ask for.',
    flag: { scope: 'rare', value: 'number' },
  }),
  queueLengthMax: setting({
    schema: integer(0, 100_000).prefault(256),
    description:
      'Requests that may wait for the embedded engine; beyond it callers get 429 with `Retry-After`.',
    flag: { scope: 'serve', value: 'number' },
  }),
  deterministic: setting({
    schema: flagText.prefault(false),
    description:
      'Run every request in a batch of its own, so that the same seed gives the same text; slower under load. Per request: the header `x-perigee-deterministic: true`.',
    flag: { scope: 'serve', value: 'true|false' },
  }),
  engines: setting({
    schema: structured(z.record(z.string().regex(/^[a-z0-9-]+$/), engineSettingsSchema)),
    description: 'Upstream servers that answer instead of the embedded engine (docs/engines.md).',
    defaultText: 'none',
    // Each may hold the upstream's key.
    isSecret: true,
  }),
  models: setting({
    schema: structured(
      z
        .record(z.string().min(1), modelSettingsSchema)
        .refine((models) => Object.keys(models).length > 0, 'must name at least one model'),
    ),
    description: 'Served model names and the engine behind each (docs/engines.md).',
    defaultText: '`moonshot/kimi-k2-turbo-preview` on the embedded engine',
    flag: { scope: 'rare', value: 'json' },
  }),
  bootstrapEmail: setting({
    schema: z.email().optional(),
    description: 'E-mail address of the administrator that the first start creates.',
    defaultText: '`admin@perigee.localhost`',
    flag: { scope: 'rare', value: 'address' },
  }),
  bootstrapPassword: setting({
    schema: z.string().min(8, 'must have at least 8 characters').max(128).optional(),
    description: 'Password of that administrator.',
    defaultText: 'random, printed once',
    isSecret: true,
  }),
  bootstrapApiKey: setting({
    schema: longKey.optional(),
    description: 'First API key, at least 32 characters.',
    defaultText: 'random, printed once',
    isSecret: true,
  }),
  bootstrapManagementKey: setting({
    schema: longKey.optional(),
    description: 'First management key, at least 32 characters.',
    defaultText: 'none',
    isSecret: true,
  }),
  bootstrapCreditUsd: setting({
    schema: usd.prefault('100'),
    description: 'Opening balance of the administrator’s account, in US dollars.',
    defaultText: '`100`',
    flag: { scope: 'rare', value: 'usd' },
  }),
  ...peopleSettings,
  ...limitSettings,
  ...operationSettings,
  ...searchSettings,
  ...fileSettings,
  corsOrigins: setting({
    schema: z
      .union([
        z.array(z.string().min(1)),
        z.string().transform((text) => text.split(',').map((o) => o.trim())),
      ])
      .prefault('*'),
    description: 'Origins of web pages that may call the API from a browser, separated by commas; `*` = any.',
    defaultText: '`*`',
    flag: { scope: 'rare', value: 'origins' },
  }),
  egressAllowHosts: setting({
    schema: textList
      .refine(
        (entries) => entries.every((text) => parseAllowEntry(text) !== undefined),
        'must be names such as wiki.corp or *.corp.example, addresses or ranges, each perhaps with :port or :*',
      )
      .prefault(''),
    description:
      'Hosts inside your network that web search may read, separated by commas: `wiki.corp`, `*.corp.example`, `10.1.0.0/16`, each perhaps with `:port` or `:*` (docs/egress.md).',
    defaultText: 'none',
    flag: { scope: 'rare', value: 'hosts' },
  }),
  egressPorts: setting({
    schema: textList
      .transform((texts) => texts.map(Number))
      .pipe(z.array(z.int('must be port numbers').min(1).max(65_535)).min(1))
      .prefault('80,443'),
    description: 'Ports of public hosts that web search may read, separated by commas.',
    defaultText: '`80,443`',
    flag: { scope: 'rare', value: 'ports' },
  }),
  logLevel: setting({
    schema: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('warn'),
    description: 'How much is logged, as JSON lines on standard error.',
    flag: { scope: 'serve', value: 'level' },
  }),
  shutdownSeconds: setting({
    schema: integer(0, 3_600).prefault(20),
    description: 'How long running requests may go on after SIGINT or SIGTERM before they are stopped.',
    flag: { scope: 'serve', value: 'seconds' },
  }),
  url: setting({
    schema: z.url({ protocol: /^https?$/ }).optional(),
    description: 'Server that `perigee chat` talks to.',
    defaultText: '`http://127.0.0.1:8787`, from host and port',
    flag: { scope: 'chat', value: 'url' },
  }),
  apiKey: setting({
    schema: z.string().min(1).optional(),
    description: 'API key that `perigee chat` sends.',
    flag: { scope: 'chat', value: 'key' },
    isSecret: true,
  }),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

/** Every setting's value after reading, frozen. */
export type Config = { readonly [Name in SettingName]: z.output<(typeof settings)[Name]['schema']> };

/** The settings as a list, in the order of the documentation. */
export function listSettings(): { readonly name: SettingName; readonly setting: Setting }[] {
  const names = Object.keys(settings) as SettingName[]; // The table's own keys; Object.keys widens them to string.
  return names.map((name) => ({ name, setting: settings[name] }));
}

/** `dataDir` → `data_dir`. */
export const fileKeyOf = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
/** `dataDir` → `PERIGEE_DATA_DIR`. */
export const environmentNameOf = (name: string): string => `PERIGEE_${fileKeyOf(name).toUpperCase()}`;
/** `dataDir` → `--data-dir`. */
export const flagNameOf = (name: string): string => `--${fileKeyOf(name).replaceAll('_', '-')}`;
