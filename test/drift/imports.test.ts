import { describe, expect, it } from 'vitest';
import { listFiles, listImports, readSource } from './source-files.ts';

const productFiles = listFiles().filter(
  (file) => /^src\/.*\.ts$/.test(file) && !/\.test\.ts$|\/__fixtures__\//.test(file),
);

/** What every folder may import: the seam, the catalogue of errors, and functions that know nothing of us. */
const seam = [
  'src/chat/types.ts',
  'src/errors.ts',
  'src/error-code.ts',
  'src/hash-file.ts',
  'src/parse-json.ts',
];

/** Folders and files of `src/` that each folder may import beside itself and the seam. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  accounts: ['src/store', 'src/keys', 'src/billing'],
  billing: ['src/store', 'src/usage'],
  caching: [
    'src/store',
    'src/billing',
    'src/jobs',
    'src/engines/engine.ts',
    'src/engines/registry.ts',
    'src/limits/turn-limiter.ts',
    'src/limits/rate-limit-state.ts',
  ],
  // The money around a turn is injected: the chat core sees its interfaces, never its code.
  chat: [
    'src/engines',
    'src/grammar',
    'src/web-search',
    'src/billing/meter.ts',
    'src/billing/metered-turn.ts',
    'src/limits/turn-limiter.ts',
    'src/limits/rate-limit-state.ts',
  ],
  // Whoever fetches an address that a stranger named does it through here.
  egress: [],
  conversations: ['src/store'],
  engines: ['src/grammar', 'src/store/make-folder.ts'],
  extract: ['src/lower-thread-priority.ts'],
  files: ['src/store', 'src/extract'],
  grammar: [],
  http: [
    'src/chat',
    'src/billing',
    'src/accounts',
    'src/conversations',
    'src/keys',
    'src/limits',
    'src/idempotency',
    'src/jobs',
    'src/metrics',
    'src/usage',
    'src/caching',
    'src/files',
    'src/engines/registry.ts',
    'src/web-files.ts',
    'src/web-search/formulas',
    'src/web-search/probe-backends.ts',
  ],
  idempotency: ['src/store', 'src/jobs'],
  jobs: [],
  keys: ['src/store', 'src/billing', 'src/usage'],
  limits: ['src/store', 'src/billing/meter.ts', 'src/keys/api-keys.ts'],
  metrics: ['src/billing/meter.ts'],
  models: ['src/store/make-folder.ts'],
  store: [],
  usage: ['src/store'],
  'web-search': ['src/store', 'src/egress', 'src/extract', 'src/lower-thread-priority.ts'],
};

/** Packages that only some folders may see. */
const packageOwners: Readonly<Record<string, readonly string[]>> = {
  fastify: ['src/http'],
  'fastify-type-provider-zod': ['src/http'],
  '@fastify/swagger': ['src/http'],
  pg: ['src/store'],
  // The index of local documents is a file of its own, rebuilt at will: no table of ours.
  'better-sqlite3': ['src/store', 'src/web-search/local'],
  // Queries are written where their tables' meaning is known; connections are made in the store alone.
  kysely: [
    'src/store',
    'src/files',
    'src/accounts',
    'src/billing',
    'src/caching',
    'src/conversations',
    'src/keys',
    'src/usage',
    'src/limits',
  ],
  '@redis/client': ['src/limits'],
  '@prometheus-io/client': ['src/metrics'],
  'better-auth': ['src/accounts'],
  'better-auth/api': ['src/accounts'],
  'better-auth/crypto': ['src/accounts'],
  'better-auth/plugins/generic-oauth': ['src/accounts'],
  nodemailer: ['src/accounts'],
  koffi: ['src/engines/llama'],
  commander: ['src/cli'],
  '@clack/prompts': ['src/cli'],
};

const isWithin = (file: string, places: readonly string[]): boolean =>
  places.some((place) => file === place || file.startsWith(`${place}/`));

describe('import directions', () => {
  it('hold between the folders of src/', () => {
    const wrong: string[] = [];
    for (const file of productFiles) {
      const folder = file.split('/')[1] ?? '';
      // The files at the top of src/ and the command line wire the rest together.
      if (folder.endsWith('.ts') || folder === 'cli') continue;
      const allowed = [...seam, `src/${folder}`, ...(allowedImports[folder] ?? [])];
      for (const { target } of listImports(file)) {
        if (target.startsWith('src/') && !isWithin(target, allowed)) wrong.push(`${file} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('are written down for every folder of src/', () => {
    const folders = new Set(
      productFiles.map((file) => file.split('/')[1] ?? '').filter((name) => !/\./.test(name)),
    );
    folders.delete('cli');
    expect([...folders].filter((folder) => allowedImports[folder] === undefined)).toEqual([]);
  });

  it('keep each package with its owner', () => {
    const wrong: string[] = [];
    for (const file of productFiles) {
      for (const { target } of listImports(file)) {
        const owners = packageOwners[target];
        if (owners !== undefined && !isWithin(file, owners)) wrong.push(`${file} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('see meters and tables only as types from the chat core', () => {
    const wrong = productFiles
      .filter((file) => file.startsWith('src/chat/'))
      .flatMap((file) => listImports(file).map((each) => ({ file, ...each })))
      .filter(({ target, isTypeOnly }) => target.startsWith('src/billing/') && !isTypeOnly);
    expect(wrong).toEqual([]);
  });
});

describe('the environment', () => {
  it('is read by src/config.ts alone', () => {
    const readers = productFiles.filter((file) =>
      /\bprocess\s*\.\s*env\b|loadEnvFile/.test(readSource(file)),
    );
    expect(readers).toEqual(['src/config.ts']);
  });
});
