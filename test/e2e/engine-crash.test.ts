/** The engine's process dies in the middle of a stream: the caller is told, and the server lives on. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longAnswer, postChat, readCompletion, readPayloads, type WireChunk } from './chat-wire.ts';
import { type RunningServer, startServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** The process ids of the engine's processes below the server, as the operating system knows them. */
function findEngineProcesses(): number[] {
  const pid = server.process.child.pid ?? 0;
  return listDescendants(pid).filter((child) => readCommandLine(child).includes('engines/llama/child'));
}

function listDescendants(pid: number): number[] {
  const children = listChildren(pid);
  return [...children, ...children.flatMap(listDescendants)];
}

function listChildren(pid: number): number[] {
  if (process.platform !== 'linux') {
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
    const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
    return pairs.filter(([, parent]) => parent === pid).map(([child = 0]) => child);
  }
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

const readCommandLine = (pid: number): string =>
  process.platform === 'linux'
    ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });

const longStory = {
  messages: [{ role: 'user', content: 'Count from 1 to 500.' }],
  ...longAnswer(300),
  max_tokens: 800,
};

describe('a crash of the engine’s process', () => {
  it('ends running streams with an error event, and the next request is answered', async () => {
    const payloads: string[] = [];
    const stream = readPayloads(await postChat(server, { ...longStory, stream: true }));
    const beside = postChat(server, longStory);
    for await (const payload of stream) {
      payloads.push(payload);
      if (payloads.length !== 5) continue;
      const [engine, ...others] = findEngineProcesses();
      expect(others).toEqual([]);
      process.kill(engine ?? 0, 'SIGKILL');
    }
    const last: WireChunk = JSON.parse(payloads.at(-1) ?? '');
    expect(last.error).toMatchObject({ type: 'server_error', code: 'engine_failed' });
    expect(payloads).not.toContain('[DONE]');

    const answer = await beside;
    expect(answer.status).toBe(500);
    expect(answer.headers.get('x-should-retry')).toBe('true');
    expect(await answer.json()).toMatchObject({ error: { type: 'server_error', code: 'engine_failed' } });

    const health = await fetch(`${server.process.url}/health`);
    expect(health.status).toBe(200);
    // A request that comes during the restart waits for it.
    const next = await readCompletion(
      await postChat(server, { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8 }),
    );
    expect(next.choices[0]?.message.content).toMatch(/\S/);
  }, 120_000);
});
