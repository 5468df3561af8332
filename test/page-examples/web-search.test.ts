/** Code Example #2 of the model's page, as it stands, against a real server, the default model and the local index. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSource } from '../drift/source-files.ts';
import { obtainPython, type Python } from './obtain-python.ts';
import { type PerigeeProcess, startPerigee } from './start-perigee.ts';

const runFile = promisify(execFile);

let folder = '';
let server: PerigeeProcess;
let python: Python;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perigee-search-'));
  [server, python] = await Promise.all([
    startPerigee({ dataDir: path.join(folder, 'data'), environment: { PERIGEE_LOG_LEVEL: 'info' } }),
    obtainPython(),
  ]);
  await server.ready;
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** With address and key filled in as a reader would. */
const readProgram = (file: string): string =>
  readSource(`test/page-examples/fixtures/${file}`)
    .replaceAll('https://api.aimlapi.com/v1', `${server.url}/v1`)
    .replaceAll('<YOUR_AIMLAPI_KEY>', server.apiKey);

async function expectGroundedAnswer(command: string, program: string): Promise<void> {
  const before = server.output().length;
  const { stdout } = await runFile(command, [program], { env: { ...process.env, ...python.environment } });
  expect(stdout).toMatch(/\S/);
  // The query is about the question, and pages were found for it: the answer was made from them.
  expect(server.output().slice(before)).toMatch(/"outcome":"found"/);
}

// Two turns of up to 1,024 tokens each, on whatever machine this is.
describe('Code Example #2', { timeout: 300_000 }, () => {
  it('gets an answer from a search, in Python', async () => {
    const program = path.join(folder, 'example.py');
    writeFileSync(program, readProgram('web-search.py'));
    await expectGroundedAnswer(python.command, program);
  });

  it('gets an answer from a search, in JavaScript', async () => {
    const program = path.join(folder, 'example.mjs');
    writeFileSync(program, readProgram('web-search.mjs'));
    await expectGroundedAnswer(process.execPath, program);
  });
});
