/** The embedded engine's process under stress: crashes, full caches, damaged files, orphans. */
import { spawn } from 'node:child_process';
import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Supervisor } from '../../src/engines/llama/supervisor.ts';
import { type HostSession, startHost } from './host-session.ts';
import { obtainTestModel } from './test-model.ts';

// Loading and decoding take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** An answer that cannot end by itself before it has a hundred numbers. */
const longSpec = {
  outputTokensMax: 400,
  grammar: {
    type: 'json-schema',
    schema: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 9 }, minItems: 100 },
  },
} as const;

describe('a full KV cache', () => {
  let host: HostSession;
  beforeAll(async () => {
    host = await startHost({ kvCells: 512, contextTokensMax: 512, prefixCacheCells: 512 }, 2);
  });
  afterAll(() => host.supervisor.close());

  it('lets requests wait for room and serves them in turn', async () => {
    const answers = await Promise.all(
      ['one', 'two', 'three'].map((word) =>
        host.ask(`Say ${word}.`, { outputTokensMax: 300, stop: ['.', '!', ','] }),
      ),
    );
    for (const { texts } of answers) expect(texts[0]).toMatch(/\S/);
  });

  it('goes on with everything else while a prompt of thousands of messages is counted', async () => {
    const { supervisor } = host;
    const message = [
      { text: '<|im_start|>', isControl: true },
      { text: 'user\nhi', isControl: false },
      { text: '<|im_end|>', isControl: true },
    ];
    const order: string[] = [];
    const counting = supervisor.tokenize(Array.from({ length: 4_000 }, () => message).flat());
    const counted = counting.then(({ promptId }) => {
      order.push('counted');
      supervisor.forget(promptId);
    });
    // The prompt is on its way now.
    await setImmediate();
    await supervisor.stats().then(() => order.push('stats'));
    await counted;
    expect(order).toEqual(['stats', 'counted']);
  });

  it('refuses those who find the queue full, with a time to come back', async () => {
    const controller = new AbortController();
    const refusals: unknown[] = [];
    // One runs and two wait, until the other three are refused and all the rest leaves.
    const outcomes = [1, 2, 3, 4, 5, 6].map(async (number) => {
      const stream = await host.begin(`Count to ${number}00.`, longSpec, controller.signal);
      try {
        for await (const event of stream) expect(event.type).not.toBe('end');
      } catch (error) {
        if (controller.signal.aborted) return;
        if (refusals.push(error) === 3) controller.abort();
      }
    });
    await Promise.all(outcomes);
    expect(refusals).toHaveLength(3);
    for (const error of refusals) expect(error).toMatchObject({ code: 'engine_overloaded' });
  });

  it('evicts old prefixes for new requests', async () => {
    const long = (word: string) => `${word} ${'and so on and on '.repeat(40)}`;
    for (const word of ['Apple', 'Pear', 'Plum', 'Cherry'])
      await host.ask(long(word), { outputTokensMax: 2 });
    const { kvCellsUsed, kvCells } = await host.stats();
    expect(kvCellsUsed).toBeLessThanOrEqual(kvCells);
    expect((await host.ask(long('Cherry'), { outputTokensMax: 2 })).cachedTokens).toBeGreaterThan(100);
  });

  it('generates more choices than fit at once, one after the other', async () => {
    const choices = Array.from({ length: 5 }, (_, choice) => ({ choice, seed: choice }));
    const { texts } = await host.ask('Hi', { choices, outputTokensMax: 150, temperature: 1, stop: [' '] });
    expect(texts).toHaveLength(5);
  });
});

describe('the engine’s process', () => {
  it('comes back after it was killed in the middle of a stream', async () => {
    const host = await startHost();
    const stream = await host.begin('Tell me a long story.', longSpec);
    const kill = async () => {
      for await (const event of stream) {
        if (event.type === 'output') process.kill(host.supervisor.pid ?? 0, 'SIGKILL');
      }
    };
    await expect(kill()).rejects.toMatchObject({ code: 'engine_failed' });
    expect((await host.ask('Hello')).texts[0]).toMatch(/\S/);
    expect((await host.stats()).restarts).toBe(1);
    await host.supervisor.close();
  });

  it('ends by itself when the server is killed', async () => {
    const { path } = await obtainTestModel();
    const supervisorUrl = new URL('../../src/engines/llama/supervisor.ts', import.meta.url);
    const script = join(folder, 'server.mjs');
    const load = {
      modelPath: path,
      kvCells: 512,
      contextTokensMax: 512,
      threads: 1,
      kvType: 'f16',
      prefixCacheCells: 0,
    };
    await writeFile(
      script,
      `import { Supervisor } from ${JSON.stringify(supervisorUrl.href)};
       const supervisor = new Supervisor({ load: ${JSON.stringify(load)}, queueLengthMax: 1 });
       await supervisor.settled();
       console.log(supervisor.pid);
       setInterval(() => {}, 1000);`,
    );
    const server = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => {
      server.stdout.once('data', (data: Buffer) => resolve(Number(data.toString())));
    });
    expect(isAlive(pid)).toBe(true);
    server.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });
});

describe('a damaged model file', () => {
  const tryLoad = async (modelPath: string): Promise<string> => {
    const supervisor = new Supervisor({
      load: {
        modelPath,
        kvCells: 512,
        contextTokensMax: 512,
        threads: 1,
        kvType: 'f16',
        prefixCacheCells: 0,
      },
      queueLengthMax: 1,
    });
    await supervisor.settled();
    const health = supervisor.health();
    await supervisor.close();
    return health.state === 'failed' ? health.detail : health.state;
  };

  it('is refused in words, not by a crash, when it is cut short', async () => {
    const path = join(folder, 'cut.gguf');
    await writeFile(path, await readFile((await obtainTestModel()).path));
    await truncate(path, 60_000_000);
    expect(await tryLoad(path)).toMatch(/cut\.gguf is cut short/);
  });

  it('is refused in words when its header is damaged', async () => {
    const path = join(folder, 'damaged.gguf');
    await writeFile(path, await readFile((await obtainTestModel()).path));
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(64, 0xff), 0, 64, 32);
    await file.close();
    expect(await tryLoad(path)).toMatch(/damaged\.gguf/);
  });

  it('is refused in words when there is none', async () => {
    expect(await tryLoad(join(folder, 'none.gguf'))).toMatch(/cannot be opened/);
  });
});
