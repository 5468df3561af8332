/** The programs that the documentation shows, run as they are shown: every example in every language. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ExampleName,
  exampleNames,
  exampleRequest,
} from '../../web/src/routes/docs/example-requests.ts';
import recorded from '../../web/src/routes/docs/recorded-answers.json' with { type: 'json' };
import { type CodeLanguage, writeCode } from '../../web/src/routes/docs/write-code.ts';
import { modelName, type RunningServer, startServer } from '../e2e/running-server.ts';
import { describeShape } from './describe-shape.ts';
import { obtainPythonClient } from './obtain-python-client.ts';
import { readExampleAnswer, readWeights } from './read-example-answer.ts';

const run = promisify(execFile);
const repository = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'perigee-examples-'));

let server: RunningServer;
let pythonPath: string;
beforeAll(async () => {
  // As after `npm install openai` in a folder of one's own.
  symlinkSync(path.join(repository, 'node_modules'), path.join(folder, 'node_modules'));
  [server, pythonPath] = await Promise.all([startServer(), obtainPythonClient()]);
}, 240_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const programs: Readonly<Record<CodeLanguage, { readonly suffix: string; readonly command: string }>> = {
  python: { suffix: 'py', command: 'python3' },
  javascript: { suffix: 'mjs', command: process.execPath },
  curl: { suffix: 'sh', command: 'sh' },
};

async function runExample(language: CodeLanguage, name: ExampleName): Promise<string> {
  // Short answers: what is tested is the program.
  const body = { ...exampleRequest(name, modelName), max_completion_tokens: 96 };
  const { suffix, command } = programs[language];
  const file = path.join(folder, `${name}-${language}.${suffix}`);
  writeFileSync(file, writeCode(language, body, { baseUrl: server.baseUrl }));
  const { stdout } = await run(command, [file], {
    cwd: folder,
    env: { ...process.env, PERIGEE_API_KEY: server.apiKey, PYTHONPATH: pythonPath },
  });
  return stdout;
}

interface Choice {
  readonly finish_reason: string;
  readonly message: {
    readonly tool_calls?: readonly { readonly function: { readonly arguments: string } }[];
  };
}

/** A model may call as often as the short budget allows: `length` is right then, and every call still whole. */
function expectWeatherCalls({ finish_reason: finishReason, message: { tool_calls: calls } }: Choice): void {
  expect(finishReason).toMatch(/^(tool_calls|length)$/);
  expect(calls?.length).toBeGreaterThan(0);
  for (const call of calls ?? [])
    expect(JSON.parse(call.function.arguments)).toMatchObject({ city: expect.any(String) as string });
}

describe.each(Object.keys(programs) as CodeLanguage[])('the examples in %s', (language) => {
  it.concurrent.each(exampleNames)(
    '%s: runs as it is shown and prints an answer',
    async (name) => {
      const printed = await runExample(language, name);
      if (language === 'curl' && name !== 'stream') {
        const { choices } = JSON.parse(printed) as { choices: readonly [Choice] };
        if (name === 'tools') expectWeatherCalls(choices[0]);
        else expect(choices[0].finish_reason).toMatch(/^(stop|length)$/);
      } else if (name === 'schema') {
        expect(Object.keys(JSON.parse(printed) as object).toSorted()).toEqual([
          'country',
          'name',
          'population',
        ]);
      } else {
        expect(printed.trim()).not.toBe('');
      }
    },
    60_000,
  );

  it('hold the reader’s own key where there is one', () => {
    const code = writeCode(language, exampleRequest('chat', modelName), {
      baseUrl: 'x',
      apiKey: 'a-key-of-mine',
    });
    expect(code).toContain('a-key-of-mine');
    expect(code).not.toContain('PERIGEE_API_KEY');
  });
});

describe('the recorded answers', () => {
  it('are of the weights that answer now', async () => {
    expect(recorded.weights).toBe(await readWeights(server));
    expect(recorded.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  it.concurrent.each(exampleNames)(
    '%s: has the shape of an answer of today',
    async (name) => {
      const fresh = await readExampleAnswer(server, name, { max_completion_tokens: 96 });
      expect(describeShape(recorded.answers[name])).toEqual(describeShape(fresh));
    },
    60_000,
  );
});
