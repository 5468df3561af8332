/** The command `perigee` as people and scripts use it: the real program in a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PerigeeProcess, startPerigee } from '../page-examples/start-perigee.ts';
import { type FinishedCommand, runCommand } from './run-command.ts';

let dataDir = '';
let server: PerigeeProcess;

beforeAll(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-cli-'));
  server = await startPerigee({
    dataDir,
    environment: {
      PERIGEE_BOOTSTRAP_API_KEY: '',
      PERIGEE_THREADS: '1',
      // `perigee chat` names no limit, and a model may talk on for as long as it is let.
      PERIGEE_OUTPUT_TOKENS_DEFAULT: '64',
    },
  });
  await server.ready;
});
afterAll(async () => {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const run = (
  arguments_: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<FinishedCommand> =>
  runCommand(arguments_, { PERIGEE_DATA_DIR: dataDir, PERIGEE_URL: server.url, ...environment });

const firstKey = () => /API key\s+(\S{32,})/.exec(server.output())?.[1] ?? '';

describe('the first start', () => {
  it('prints an administrator, a key that works and a line to paste, and says which weights answer', async () => {
    expect(server.output()).toMatch(/e-mail\s+admin@perigee\.localhost/);
    expect(server.output()).toMatch(/password\s+\S{16,}/);
    expect(server.output()).toContain(
      `curl ${server.url}/v1/chat/completions -H "Authorization: Bearer ${firstKey()}"`,
    );
    expect(server.output()).toMatch(/is a name here: the answers come from SmolLM2-135M-Instruct Q4_1/);
    expect(server.output()).toMatch(/Ready after \d+\.\d s\./);
    const response = await fetch(`${server.url}/v1/models`, {
      headers: { authorization: `Bearer ${firstKey()}` },
    });
    expect(response.status).toBe(200);
  });

  it('is not repeated: a second server in the same folder is refused and prints no secret', async () => {
    const second = await run(['serve', '--port', '0']);
    expect(second.exitCode).toBe(1);
    // One line: a person's mistake is not answered with a stack trace.
    expect(second.notes).toMatch(
      /^The data folder .* is in use by process \d+\. Stop that server first.*\n$/,
    );
    expect(second.output).not.toMatch(/API key/);
  });
});

describe('perigee chat', () => {
  it('prints the answer of the running server', async () => {
    const answer = await run(['chat', 'Say hello.'], { PERIGEE_API_KEY: firstKey() });
    expect(answer).toMatchObject({ exitCode: 0, notes: '' });
    expect(answer.output).toMatch(/\S/);
  });

  it('says what is missing without a key, with a wrong key and without a server', async () => {
    const withoutKey = await run(['chat', 'Hello']);
    expect(withoutKey.exitCode).toBe(1);
    expect(withoutKey.notes).toMatch(/needs an API key.*PERIGEE_API_KEY/);
    const withWrongKey = await run(['chat', 'Hello'], { PERIGEE_API_KEY: 'x'.repeat(43) });
    expect(withWrongKey.exitCode).toBe(1);
    expect(withWrongKey.notes).toMatch(/requires a valid API key/);
    // Port 9 (discard) is closed on every machine that does not run inetd.
    const nowhere = await run(['chat', 'Hello', '--url', 'http://127.0.0.1:9', '--api-key', firstKey()]);
    expect(nowhere.exitCode).toBe(1);
    expect(nowhere.notes).toMatch(/No Perigee server answers at http:\/\/127\.0\.0\.1:9/);
  });
});

describe('perigee keys', () => {
  it('creates, lists and disables keys beside a running server, as JSON', async () => {
    const created = JSON.parse((await run(['keys', 'create', '--name', 'from a script', '--json'])).output);
    expect(created).toMatchObject({ name: 'from a script', kind: 'regular', is_disabled: false });
    expect(created.key.slice(0, 8)).toBe(created.prefix);
    const answer = await run(['chat', 'Hello'], { PERIGEE_API_KEY: created.key });
    expect(answer.exitCode).toBe(0);
    const disabled = JSON.parse((await run(['keys', 'disable', created.prefix, '--json'])).output);
    expect(disabled).toMatchObject({ prefix: created.prefix, is_disabled: true });
    const listed = JSON.parse((await run(['keys', 'list', '--json'])).output);
    expect(listed).toHaveLength(2);
    expect(JSON.stringify(listed)).not.toContain(created.key);
  });

  it('refuses a misspelt scope, and takes a model by any of its names', async () => {
    const refused = await run(['keys', 'create', '--scope', 'chat', 'cahing']);
    expect(refused.exitCode).toBe(1);
    expect(refused.notes).toMatch(/scopes\[1\]: expected one of chat, web_search.* received `cahing`/);
    const taken = await run(['keys', 'create', '--json', '--scope', 'chat', 'model:kimi-k2-turbo']);
    expect(JSON.parse(taken.output).scopes).toEqual(['chat', 'model:moonshot/kimi-k2-turbo-preview']);
  });

  it('names a key that does not exist', async () => {
    const result = await run(['keys', 'disable', 'zzzzzzzz']);
    expect(result.exitCode).toBe(1);
    expect(result.notes).toMatch(/no API key with the prefix zzzzzzzz/);
  });
});

describe('perigee models', () => {
  it('lists the presets and which of them are here', async () => {
    const models = JSON.parse((await run(['models', 'list', '--json'])).output);
    expect(models[0]).toMatchObject({ id: 'smollm2-135m', licence: 'Apache-2.0', path: expect.any(String) });
    expect(models[1]).toMatchObject({ path: null });
  });

  it('names a preset that does not exist', async () => {
    const result = await run(['models', 'pull', 'gpt-9']);
    expect(result.exitCode).toBe(1);
    expect(result.notes).toMatch(/no preset `gpt-9`/);
  });
});

describe('perigee doctor', () => {
  it('passes on a machine where a server runs', async () => {
    const port = new URL(server.url).port;
    const result = await run(['doctor'], { PERIGEE_PORT: port });
    expect(result.output).toMatch(/^ok {4}Engines .*can answer$/m);
    expect(result.output).toMatch(/Perigee runs on/);
    expect(result.exitCode).toBe(0);
  }, 120_000);

  it('fails with what to do when another program has the port', async () => {
    // A program that takes what it gets and says nothing, as many do.
    const other = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const result = await run(['doctor', '--model', '/nowhere/model.gguf'], { PERIGEE_PORT: String(port) });
    await new Promise((resolve) => other.close(resolve));
    expect(result.exitCode).toBe(1);
    expect(result.output).toMatch(/FAIL {2}Port .*another program listens/);
    expect(result.output).toMatch(/FAIL {2}Model file .*is not there/);
    expect(result.output).toMatch(/→ Check --model or PERIGEE_MODEL/);
  }, 120_000);
});

describe('perigee serve', () => {
  it('names a port that is taken and how to choose another', async () => {
    const port = new URL(server.url).port;
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'perigee-cli-'));
    const result = await run(['serve', '--port', port, '--data-dir', elsewhere]);
    rmSync(elsewhere, { recursive: true, force: true });
    expect(result.exitCode).toBe(1);
    expect(result.notes).toMatch(/Another program listens on .*--port 8788/);
  }, 120_000);

  it('serves without a model: alive, not ready, and a chat says what to do', async () => {
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'perigee-cli-'));
    const other = await startPerigee({
      dataDir: elsewhere,
      environment: { PERIGEE_MODEL: '/nowhere/model.gguf' },
    });
    try {
      expect((await fetch(`${other.url}/health`)).status).toBe(200);
      const ready = await fetch(`${other.url}/ready`);
      expect(ready.status).toBe(503);
      const readyText = await ready.text();
      expect(readyText).toContain('There is no file model.gguf');
      expect(readyText).not.toContain('/nowhere');
      const answer = await run(['chat', 'Hello', '--url', other.url, '--api-key', other.apiKey]);
      expect(answer.exitCode).toBe(1);
      expect(answer.notes).toMatch(/There is no file model\.gguf.*perigee doctor/);
    } finally {
      expect(await other.stop()).toBe(0);
      rmSync(elsewhere, { recursive: true, force: true });
    }
  }, 120_000);

  it('refuses a setting that is out of bounds and names it', async () => {
    const result = await run(['serve', '--port', '70000']);
    expect(result.exitCode).toBe(1);
    expect(result.notes).toMatch(/^--port: must be/);
  });
});

describe('the command', () => {
  it('explains itself, and a mistake', async () => {
    const help = await run(['--help']);
    expect(help.exitCode).toBe(0);
    for (const name of ['serve', 'chat', 'keys', 'models', 'doctor'])
      expect(help.output).toMatch(new RegExp(`^ +${name}`, 'm'));
    expect((await run(['srve'])).exitCode).toBe(1);
  });
});
