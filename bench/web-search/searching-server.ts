/** Our whole server with `$web_search` over the loopback web, and what it logs of its searches. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { request } from 'undici';
import type { SearchReport } from '../../src/web-search/web-search.ts';
import { readSse } from '../engine/read-sse.ts';
import type { EventLoopDelay } from '../engine/watch-event-loop.ts';
import { findFreePort, startMeasured } from '../measured-process.ts';

export interface TurnTimes {
  /** From the question to the `$web_search` call. */
  readonly searchTurnMs: number;
  /** From sending it back to the first words of the answer. */
  readonly firstTokenMs: number;
}

export interface SearchingServer {
  /** A question, its search and its answer. Throws when there was no search. */
  askOnce(question: string): Promise<TurnTimes>;
  /** All searches so far, once there are so many. */
  readReports(count: number): Promise<readonly SearchReport[]>;
  /** Event-loop delay of the server's process since the last call. */
  readDelay(): Promise<EventLoopDelay>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly webOrigin: string;
  /** Weights to serve; undefined = the model of the loopback web. */
  readonly modelPath?: string;
}

const modelName = 'moonshot/kimi-k2-turbo-preview';
const reportsTimeoutMs = 10_000;

export async function startSearchingServer({
  webOrigin,
  modelPath,
}: ServerOptions): Promise<SearchingServer> {
  const key = randomBytes(24).toString('hex');
  const [port, probePort] = [await findFreePort(), await findFreePort()];
  const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-bench-'));
  const origin = `http://127.0.0.1:${port}`;
  const log = readSearchLog();
  const upstream = {
    kind: 'openai-compatible',
    base_url: `${webOrigin}/v1`,
    model: 'bench',
    context_tokens: 131_072,
  };
  const server = await startMeasured({
    command: process.execPath,
    args: [
      ...['--import', path.join(import.meta.dirname, '../engine/event-loop-probe.ts')],
      ...[path.join(import.meta.dirname, '../../src/main.ts'), 'serve', '--port', String(port)],
      ...['--data-dir', dataDir, '--model', modelPath ?? 'none', '--log-level', 'info'],
    ],
    environment: {
      PERIGEE_BOOTSTRAP_API_KEY: key,
      PERIGEE_BENCH_PROBE_PORT: String(probePort),
      PERIGEE_WEB_SEARCH_BACKENDS: 'searxng',
      PERIGEE_SEARXNG_URL: webOrigin,
      PERIGEE_EGRESS_ALLOW_HOSTS: '127.0.0.1:*',
      ...(modelPath === undefined && {
        PERIGEE_ENGINES: JSON.stringify({ bench: upstream }),
        PERIGEE_MODELS: JSON.stringify({ [modelName]: { engine: 'bench' } }),
      }),
    },
    readyUrl: `${origin}/ready`,
    onOutput: log.write,
  });
  return {
    askOnce: (question) => askOnce({ origin, key, question }),
    readReports: log.readReports,
    async readDelay() {
      const { body } = await request(`http://127.0.0.1:${probePort}/`);
      return (await body.json()) as EventLoopDelay; // The probe's only answer.
    },
    async stop() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function readSearchLog() {
  const output = new PassThrough();
  const lines = createInterface({ input: output });
  const reports: SearchReport[] = [];
  lines.on('line', (line) => {
    // The log's own line of a search (`build-web-search.ts`); everything else is not asked for.
    if (line.includes('"durations"')) reports.push(JSON.parse(line));
  });
  return {
    write: (chunk: Buffer) => void output.write(chunk),
    async readReports(count: number): Promise<readonly SearchReport[]> {
      const signal = AbortSignal.timeout(reportsTimeoutMs);
      while (reports.length < count) await once(lines, 'line', { signal });
      return [...reports];
    },
  };
}

interface Question {
  readonly origin: string;
  readonly key: string;
  readonly question: string;
}

async function askOnce({ origin, key, question }: Question): Promise<TurnTimes> {
  const url = `${origin}/v1/chat/completions`;
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const tools = [{ type: 'builtin_function', function: { name: '$web_search' } }];
  const fields = { model: modelName, temperature: 0, tools };
  const asked = { role: 'user', content: question };
  const startedAt = performance.now();
  const body = JSON.stringify({ ...fields, messages: [asked] });
  const answer = await request(url, { method: 'POST', headers, body, headersTimeout: 0 });
  const { message } = readChoice(await answer.body.text());
  const searchTurnMs = performance.now() - startedAt;
  const echoes = message.tool_calls.map((call) => ({
    role: 'tool',
    tool_call_id: call.id,
    name: call.function.name,
    content: call.function.arguments,
  }));
  const echoedAt = performance.now();
  let firstTokenMs = Number.NaN;
  // What follows the first words is the engine's business, and measured elsewhere.
  const second = { ...fields, stream: true, max_tokens: 4, messages: [asked, message, ...echoes] };
  for await (const chunk of readSse({ url, headers, body: second })) {
    const [choice] = (chunk as Chunk).choices ?? []; // Our own chunks.
    if (Number.isNaN(firstTokenMs) && choice?.delta.content) firstTokenMs = performance.now() - echoedAt;
  }
  return { searchTurnMs, firstTokenMs };
}

interface Chunk {
  readonly choices?: readonly { readonly delta: { readonly content?: string } }[];
}

interface WireMessage {
  readonly tool_calls: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
}

function readChoice(answer: string): { readonly message: WireMessage } {
  const [choice] = JSON.parse(answer).choices ?? [];
  if (choice?.finish_reason !== 'tool_calls') throw new Error(`no search was made: ${answer}`);
  return choice;
}
