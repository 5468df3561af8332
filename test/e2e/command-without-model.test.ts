/** The command `perigee` where no model of its own is wanted: mistakes of operators, and upstream servers alone. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startPerigee } from '../page-examples/start-perigee.ts';
import { runCommand } from './run-command.ts';

const apiKey = 'test-key-0123456789-0123456789-0123456789';
let dataDir = '';

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-cli-'));
});
afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

const run = (arguments_: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  runCommand(arguments_, {
    PERIGEE_DATA_DIR: dataDir,
    PERIGEE_PORT: '0',
    PERIGEE_MODEL: '/nowhere/model.gguf',
    ...environment,
  });

describe('perigee serve says in one line what an operator can mend, and ends:', () => {
  it.each([
    // Port 9 (discard) is closed on every machine that does not run inetd.
    [
      'DATABASE_URL',
      'postgres://user:sesame@127.0.0.1:9/none',
      /database of PERIGEE_DATABASE_URL cannot be opened/,
    ],
    ['PERIGEE_DATA_DIR', import.meta.filename, /database in .* cannot be opened: the folder cannot be made/],
    ['PERIGEE_BOOTSTRAP_API_KEY', `sesame+${'x'.repeat(40)}`, /^PERIGEE_BOOTSTRAP_API_KEY: may hold only/],
    [
      'PERIGEE_MODELS',
      '{"a/x":{"engine":"embedded"},"b/x":{"engine":"embedded"}}',
      /`a\/x` and `b\/x` are both/,
    ],
    ['PERIGEE_SMTP_URL', 'smtp://user:sesame@127.0.0.1', /^PERIGEE_SMTP_FROM must be set/],
    ['PERIGEE_OIDC_ISSUER', 'https://sso.example.org', /^PERIGEE_OIDC_CLIENT_ID must be set/],
    ['PERIGEE_FILES_S3_URL', 'https://s3.example.org/bucket', /^files_s3_url needs `files_s3_access_key_id`/],
    ['PERIGEE_WEB_SEARCH_BACKENDS', 'brave', /^web_search_backends names `brave`, which has no key/],
  ])('%s=%s', async (name, value, note) => {
    const { exitCode, notes } = await run(['serve'], { [name]: value });
    expect(exitCode).toBe(1);
    expect(notes).toMatch(note);
    expect(notes).toMatch(/^[^\n]+\n$/);
    expect(notes).not.toContain('sesame');
    // The administrator's password is shown by the start that makes it, so this one has made none.
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('a file that is no database', async () => {
    writeFileSync(path.join(dataDir, 'perigee.db'), 'This is a text. '.repeat(1_000));
    const { exitCode, notes } = await run(['serve']);
    expect(exitCode).toBe(1);
    expect(notes).toMatch(/^The database in .* cannot be opened: .*not a database\n$/);
  });
});

describe('with an upstream server alone', () => {
  let upstream: Server;

  beforeAll(async () => {
    upstream = createServer((request, response) => {
      if (request.url === '/v1/models') {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ data: [{ id: 'theirs', max_model_len: 4_096 }] }));
        return;
      }
      response.setHeader('content-type', 'text/event-stream');
      response.end(
        'data: {"choices":[{"index":0,"delta":{"content":"From over there."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
      );
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    upstream.close();
    upstream.closeAllConnections();
  });
  beforeEach(() => {
    const { port } = upstream.address() as AddressInfo; // It listens on a port, not on a pipe.
    writeFileSync(
      path.join(dataDir, 'perigee.yaml'),
      [
        'engines:',
        `  there: { kind: openai-compatible, base_url: "http://127.0.0.1:${port}/v1", model: theirs }`,
        'models:',
        '  acme/own-name: { engine: there }',
      ].join('\n'),
    );
  });

  it('serve waits for its first answer and is ready; chat uses the served name', async () => {
    const server = await startPerigee({ dataDir });
    await server.ready;
    expect(server.output()).toContain('"model":"acme/own-name"');
    expect(server.output()).toMatch(/acme\/own-name is a name here: the answers come from theirs/);
    expect((await fetch(`${server.url}/ready`)).status).toBe(200);
    const answer = await run(['chat', 'Hello', '--url', server.url, '--api-key', apiKey]);
    expect(answer).toMatchObject({ exitCode: 0, output: 'From over there.\n' });
    expect(await server.stop()).toBe(0);
  });

  it('doctor asks it, and misses no model file', async () => {
    const healthy = await run(['doctor'], { PERIGEE_MODEL: 'smollm2-135m' });
    expect(healthy.output).toMatch(/ok {4}Model file +none wanted/);
    expect(healthy.output).toMatch(/ok {4}Engines +1 served models can answer/);
    expect(healthy.exitCode).toBe(0);
  });
});
