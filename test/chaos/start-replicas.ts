import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { endProcess } from '../services/service.ts';

const program = path.join(import.meta.dirname, 'scripted-server-process.ts');
const modelId = 'moonshot/kimi-k2-turbo-preview';

export interface Replica {
  readonly url: string;
  readonly child: ChildProcess;
  /** One chat completion of 10 prompt tokens and at most 64 of output; the body is read to its end. */
  chat(apiKey: string): Promise<ReplicaAnswer>;
  /** A stream that has begun and goes on until the returned function is called; else its status. */
  wait(apiKey: string): Promise<{ readonly status: number; leave(): void }>;
}

export interface ReplicaAnswer {
  readonly status: number;
  /** `error.type` and `error.code` of a refusal. */
  readonly errorType?: string;
  readonly errorCode?: string;
}

/** Server processes over one database, with Redis where an address is given. Ended with the test. */
export async function startReplicas(
  count: number,
  { databaseUrl, redisUrl = '' }: { readonly databaseUrl: string; readonly redisUrl?: string },
): Promise<readonly Replica[]> {
  return await Promise.all(Array.from({ length: count }, () => startReplica(databaseUrl, redisUrl)));
}

async function startReplica(databaseUrl: string, redisUrl: string): Promise<Replica> {
  const child = spawn(process.execPath, [program, databaseUrl, redisUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => await endProcess(child, 'SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const [url] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('a replica ended before it listened'))),
  ]);
  const send = async (apiKey: string, body: object, signal: AbortSignal | null): Promise<Response> =>
    await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      signal,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: modelId, max_tokens: 64, ...body }),
    });
  return {
    url: String(url),
    child,
    chat: async (apiKey) => {
      const answer = await send(apiKey, { messages: [{ role: 'user', content: 'go' }] }, null);
      const body: unknown = await answer.json();
      return { status: answer.status, ...readError(body) };
    },
    wait: async (apiKey) => {
      const left = new AbortController();
      const answer = await send(
        apiKey,
        { stream: true, messages: [{ role: 'user', content: 'wait' }] },
        left.signal,
      );
      if (answer.status !== 200) await answer.text();
      return { status: answer.status, leave: () => left.abort() };
    },
  };
}

function readError(body: unknown): Pick<ReplicaAnswer, 'errorType' | 'errorCode'> {
  const { error } = body as { readonly error?: { readonly type: string; readonly code: string } }; // Our own server's shape.
  return error === undefined ? {} : { errorType: error.type, errorCode: error.code };
}

/** How many answers there are of each kind, such as `{ '200': 100, '403 key_limit_reached': 900 }`. */
export function countAnswers(answers: readonly ReplicaAnswer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, errorCode } of answers) {
    const name = errorCode === undefined ? String(status) : `${status} ${errorCode}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
