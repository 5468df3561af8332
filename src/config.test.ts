import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildEngines } from './build-engines.ts';
import { ConfigError, loadConfig } from './config.ts';
import { isKeySecret } from './keys/key-secret.ts';

let dataDir = '';

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-config-'));
});
afterEach(() => {
  rmSync(dataDir, { recursive: true });
});

const load = (environment: Record<string, string> = {}, flags: Record<string, unknown> = {}) =>
  loadConfig({ environment: { PERIGEE_DATA_DIR: dataDir, ...environment }, flags });

const writeFile = (text: string, name = 'perigee.yaml') => {
  const file = path.join(dataDir, name);
  writeFileSync(file, text);
  return file;
};

describe('precedence', () => {
  it('takes the default when nobody names the setting', () => {
    expect(load()).toMatchObject({
      host: '127.0.0.1',
      port: 8787,
      outputTokensDefault: 1024,
      choiceCountMax: 16,
    });
  });

  it('prefers the file to the default, the environment to the file and the flag to both', () => {
    writeFile('port: 1001\nthreads: 1\nhost: file.test\n');
    const config = load({ PERIGEE_PORT: '1002', PERIGEE_HOST: 'env.test' }, { port: '1003' });
    expect(config).toMatchObject({ port: 1003, host: 'env.test', threads: 1 });
  });

  it('treats an empty variable as not set', () => {
    expect(load({ PERIGEE_PORT: '' }).port).toBe(8787);
  });

  it('keeps the data folder below the home folder by default', () => {
    expect(loadConfig({ environment: { PERIGEE_CONFIG: writeFile('{}') } }).dataDir).toBe(
      path.join(homedir(), '.perigee'),
    );
  });

  it('accepts DATABASE_URL as an alias, behind its own name', () => {
    const alias = { DATABASE_URL: 'postgres://alias/db' };
    expect(load(alias).databaseUrl).toBe('postgres://alias/db');
    expect(load({ ...alias, PERIGEE_DATABASE_URL: 'postgresql://own/db' }).databaseUrl).toBe(
      'postgresql://own/db',
    );
  });
});

describe('the file', () => {
  it('may be JSON', () => {
    writeFile('{"port": 4242}', 'perigee.json');
    expect(load().port).toBe(4242);
  });

  it('with an unknown key is refused, and the key is named', () => {
    writeFile('prot: 80\n');
    expect(() => load()).toThrow(/`prot` is not a setting/);
  });

  it('that lies in the data folder cannot move the data folder', () => {
    writeFile('data_dir: /elsewhere\n');
    expect(() => load()).toThrow(/--data-dir or PERIGEE_DATA_DIR/);
  });

  it('that was asked for but is missing is an error', () => {
    expect(() => load({}, { config: path.join(dataDir, 'none.yaml') })).toThrow(/none\.yaml cannot be read/);
  });

  it('that is no map is refused', () => {
    writeFile('- port\n');
    expect(() => load()).toThrow(/must hold settings/);
  });
});

describe('values', () => {
  it.each([
    [{ PERIGEE_PORT: '70000' }, /^PERIGEE_PORT: /],
    [{ PERIGEE_PORT: 'http' }, /PERIGEE_PORT: .*whole number.*got `http`/],
    [{ PERIGEE_DETERMINISTIC: 'maybe' }, /PERIGEE_DETERMINISTIC/],
    [{ PERIGEE_BOOTSTRAP_CREDIT_USD: '-5' }, /US dollars/],
    [{ PERIGEE_ENGINES: '{' }, /must be JSON/],
    [{ PERIGEE_MODELS: '{}' }, /^PERIGEE_MODELS: must name at least one model/],
    [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL: .*postgres/],
  ])('out of bounds are refused with the name of the setting: %o', (environment, message) => {
    expect(() => load(environment)).toThrow(ConfigError);
    expect(() => load(environment)).toThrow(message);
  });

  it('name the flag when the flag was wrong', () => {
    expect(() => load({}, { port: 'x' })).toThrow(/^--port: /);
  });

  it('that are secret are not repeated in an error', () => {
    expect(() => load({ PERIGEE_BOOTSTRAP_API_KEY: 'too-short' })).toThrow(/32 characters/);
    expect(() => load({ PERIGEE_BOOTSTRAP_API_KEY: 'too-short' })).not.toThrow(/too-short/);
    // Cut off in the middle: the text is no JSON, and what it says may be an upstream's key.
    const engines = '{ "up": { "api_key": "sk-upstream"';
    expect(() => load({ PERIGEE_ENGINES: engines })).toThrow(/must be JSON/);
    expect(() => load({ PERIGEE_ENGINES: engines })).not.toThrow(/sk-upstream/);
  });

  it.each(['x'.repeat(31), 'x'.repeat(201), `${'x'.repeat(40)}+`, 'A0._~-'.repeat(6), 'x'.repeat(200)])(
    'of a chosen key are refused exactly where the key itself would be: %s',
    (key) => {
      const isTaken = isKeySecret(key);
      if (isTaken) expect(load({ PERIGEE_BOOTSTRAP_API_KEY: key }).bootstrapApiKey).toBe(key);
      else expect(() => load({ PERIGEE_BOOTSTRAP_API_KEY: key })).toThrow(/^PERIGEE_BOOTSTRAP_API_KEY: /);
    },
  );

  it('in dollars keep every digit', () => {
    expect(load({ PERIGEE_BOOTSTRAP_CREDIT_USD: '0.000000001' }).bootstrapCreditUsd).toBe('0.000000001');
    expect(load().bootstrapCreditUsd).toBe('100');
  });

  it('cannot be changed after reading', () => {
    expect(Object.isFrozen(load())).toBe(true);
  });
});

describe('upstream engines', () => {
  const file = (engine: string) => writeFile(`engines:\n  vllm: ${engine}\n`);

  it('take their key from the variable that the file names', () => {
    file('{ kind: openai-compatible, base_url: "http://h/v1", model: m, api_key_env: VLLM_KEY }');
    expect(load({ VLLM_KEY: 'secret' }).engines?.vllm).toMatchObject({ api_key: 'secret' });
  });

  it('whose key variable is not set stop nobody but who makes them', () => {
    file('{ kind: openai-compatible, base_url: "http://h/v1", model: m, api_key_env: VLLM_KEY }');
    const config = load();
    const hooks = { onModelProgress: () => undefined, onEngineChange: () => undefined };
    expect(() => buildEngines({ ...config, models: { m: { engine: 'vllm' } } }, hooks)).toThrow(
      /engines\.vllm: the environment variable VLLM_KEY is not set/,
    );
  });

  it('may take it from a variable that begins as settings do', () => {
    file('{ kind: openai-compatible, base_url: "http://h/v1", model: m, api_key_env: PERIGEE_UPSTREAM_KEY }');
    const unknown: string[] = [];
    const environment = { PERIGEE_DATA_DIR: dataDir, PERIGEE_UPSTREAM_KEY: 'x', PERIGEE_PROT: '1' };
    loadConfig({ environment, onUnknownVariable: ({ name }) => unknown.push(name) });
    expect(unknown).toEqual(['PERIGEE_PROT']);
  });

  it('with a misspelt field are refused with its path', () => {
    file('{ kind: openai-compatible, base_url: "http://h/v1", model: m, apikey: x }');
    expect(() => load()).toThrow(/at `vllm`.*apikey/);
  });
});
