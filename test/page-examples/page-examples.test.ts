/** The programs of the model's page, as they stand in the README, run against a real server with a real model. */
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
  folder = mkdtempSync(path.join(tmpdir(), 'perigee-page-'));
  [server, python] = await Promise.all([
    startPerigee({
      dataDir: path.join(folder, 'data'),
      // The programs name no limit, and a model may talk on for as long as it is let.
      environment: { PERIGEE_THREADS: '1', PERIGEE_OUTPUT_TOKENS_DEFAULT: '64' },
    }),
    obtainPython(),
  ]);
  await server.ready;
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** The README's block in that language, with address and key filled in as a reader would. */
function readProgram(language: string): string {
  const block = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(readSource('README.md'))?.[1];
  if (block === undefined) throw new Error(`The README has no ${language} program.`);
  return block
    .replaceAll('http://127.0.0.1:8787', server.url)
    .replaceAll('<YOUR_PERIGEE_KEY>', server.apiKey);
}

function expectAnswer(output: string): void {
  expect(JSON.parse(output)).toMatchObject({
    id: expect.stringMatching(/^chatcmpl-/),
    object: 'chat.completion',
    model: 'kimi-k2-turbo-preview',
    choices: [
      {
        index: 0,
        finish_reason: expect.stringMatching(/^(stop|length)$/),
        message: { role: 'assistant', content: expect.stringMatching(/\S/) },
      },
    ],
    usage: { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) },
  });
}

describe('the programs of the model’s page', () => {
  it('Code Example #1 in Python gets an answer of the model', async () => {
    const file = path.join(folder, 'example.py');
    writeFileSync(file, readProgram('python'));
    const { stdout } = await runFile(python.command, [file], {
      env: { ...process.env, ...python.environment },
    });
    expectAnswer(stdout);
  });

  it('Code Example #1 in JavaScript gets an answer of the model', async () => {
    const file = path.join(folder, 'example.mjs');
    writeFileSync(file, readProgram('javascript'));
    expectAnswer((await runFile(process.execPath, [file])).stdout);
  });

  it('differ from the page in nothing but base URL, key and the comments about them', () => {
    // The page's texts, with what the reader is told to change already changed.
    expect(readSource('README.md')).toContain(
      '"content":"Hello"  # insert your prompt here, instead of Hello',
    );
    expect(readSource('README.md')).toContain(
      "content: 'Hello'  // insert your prompt here, instead of Hello",
    );
  });
});
