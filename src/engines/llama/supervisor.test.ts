import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../errors.ts';
import type { GenerationEvent } from './protocol.ts';
import { type ProcessChange, Supervisor, type SupervisorOptions } from './supervisor.ts';
import { greedySpec } from './testing/generation-spec.ts';

const childEntry = fileURLToPath(new URL('./fixtures/fake-child.ts', import.meta.url));
const load = {
  modelPath: 'fake',
  kvCells: 1024,
  contextTokensMax: 1024,
  threads: 1,
  kvType: 'f16' as const,
  prefixCacheCells: 512,
};

const open: Supervisor[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((supervisor) => supervisor.close()));
});

function start(options: Partial<SupervisorOptions> = {}) {
  const changes: ProcessChange[] = [];
  const supervisor = new Supervisor({
    load,
    queueLengthMax: 2,
    childEntry,
    onChange: (change) => changes.push(change),
    ...options,
  });
  open.push(supervisor);
  return { supervisor, changes };
}

const hold = (supervisor: Supervisor, text: string) => supervisor.tokenize([{ text, isControl: false }]);

async function collect(supervisor: Supervisor, promptId: number, signal = new AbortController().signal) {
  const events: GenerationEvent[] = [];
  for await (const event of supervisor.generate({ ...greedySpec, promptId }, signal)) events.push(event);
  return events;
}

async function run(supervisor: Supervisor, text: string): Promise<GenerationEvent[]> {
  const { promptId } = await hold(supervisor, text);
  return collect(supervisor, promptId);
}

/** Starts a generation and resolves with its first event, leaving it running. */
async function begin(supervisor: Supervisor, text: string, signal: AbortSignal) {
  const { promptId } = await hold(supervisor, text);
  const stream = supervisor.generate({ ...greedySpec, promptId }, signal);
  const next = stream.next();
  return { stream, next };
}

const failure = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ApiError);
      return error as ApiError;
    },
  );

describe('supervisor', () => {
  it('passes a generation through, from first event to end', async () => {
    const { supervisor } = start();
    const events = await run(supervisor, 'answer');
    expect(events.map(({ type }) => type)).toEqual(['output', 'choice-end', 'end']);
    expect(supervisor.health()).toEqual({ state: 'ready' });
  });

  it('fails what runs when the process crashes, and answers again afterwards', async () => {
    const { supervisor, changes } = start();
    const beside = await begin(supervisor, 'run', new AbortController().signal);
    await beside.next;
    expect((await failure(run(supervisor, 'crash'))).code).toBe('engine_failed');
    expect((await failure(beside.stream.next())).code).toBe('engine_failed');
    expect((await run(supervisor, 'answer')).at(-1)?.type).toBe('end');
    expect(changes.map(({ type }) => type)).toEqual(['loaded', 'crashed', 'loaded']);
  });

  it('keeps a prompt that was counted before the crash usable after it', async () => {
    const { supervisor } = start();
    const { promptId } = await hold(supervisor, 'answer');
    await failure(run(supervisor, 'crash'));
    expect((await collect(supervisor, promptId)).at(-1)?.type).toBe('end');
  });

  it('refuses an input after the second crash, and only that one', async () => {
    const { supervisor, changes } = start();
    await failure(run(supervisor, 'crash'));
    await failure(run(supervisor, 'crash'));
    expect((await failure(run(supervisor, 'crash'))).message).toMatch(/stopped twice/);
    expect((await run(supervisor, 'answer')).at(-1)?.type).toBe('end');
    expect(changes.filter(({ type }) => type === 'crashed')).toHaveLength(2);
  });

  it('accuses nobody who ran beside the input that crashes', async () => {
    const { supervisor } = start();
    const crashBeside = async (text: string) => {
      const beside = await begin(supervisor, text, new AbortController().signal);
      await beside.next.catch(() => undefined);
      await failure(run(supervisor, 'crash'));
      return beside;
    };
    await failure((await crashBeside('run')).stream.next());
    // Both are suspected now, so the one that comes second waits for the first, and crashes alone.
    const controller = new AbortController();
    const innocent = await begin(supervisor, 'run', controller.signal);
    expect((await innocent.next).value).toMatchObject({ type: 'prefill' });
    const crashing = failure(run(supervisor, 'crash'));
    const left = failure(innocent.stream.next());
    controller.abort();
    expect((await left).code).toBe('client_closed_request');
    expect((await crashing).code).toBe('engine_failed');
    expect((await failure(run(supervisor, 'crash'))).message).toMatch(/stopped twice/);
    const again = await begin(supervisor, 'run', new AbortController().signal);
    expect((await again.next).value).toMatchObject({ type: 'prefill' });
  });

  it('ends a process that does not answer, and starts another', async () => {
    const { supervisor, changes } = start({ pulse: { everyMs: 20, silenceMsMax: 200 } });
    expect((await failure(run(supervisor, 'hang'))).code).toBe('engine_failed');
    expect((await run(supervisor, 'answer')).at(-1)?.type).toBe('end');
    expect(changes.map(({ type }) => type)).toEqual(['loaded', 'crashed', 'loaded']);
  });

  it('keeps nothing of a prompt that it refuses after the second crash', async () => {
    const { supervisor } = start();
    const { promptId } = await hold(supervisor, 'crash');
    await failure(run(supervisor, 'crash'));
    await failure(run(supervisor, 'crash'));
    expect((await failure(collect(supervisor, promptId))).message).toMatch(/stopped twice/);
    expect((await failure(collect(supervisor, promptId))).internal).toBe('the prompt is not known');
  });

  it('keeps nothing of a prompt whose client left while the process was being restarted', async () => {
    const { supervisor } = start();
    const { promptId } = await hold(supervisor, 'answer');
    await failure(run(supervisor, 'crash'));
    const controller = new AbortController();
    const left = failure(collect(supervisor, promptId, controller.signal));
    controller.abort();
    expect((await left).code).toBe('client_closed_request');
    expect((await run(supervisor, 'answer')).at(-1)?.type).toBe('end');
    expect((await supervisor.stats())?.heldPrompts).toBe(0);
  });

  it('refuses an input that crashes the tokenizer twice', async () => {
    const { supervisor } = start();
    await failure(hold(supervisor, 'crash-in-tokenize'));
    await failure(hold(supervisor, 'crash-in-tokenize'));
    expect((await failure(hold(supervisor, 'crash-in-tokenize'))).message).toMatch(/stopped twice/);
  });

  it('bounds the queue and says when to come back', async () => {
    const { supervisor } = start();
    const controller = new AbortController();
    const waiting = [
      await begin(supervisor, 'queue', controller.signal),
      await begin(supervisor, 'queue', controller.signal),
    ];
    const error = await failure(run(supervisor, 'queue'));
    expect(error.code).toBe('engine_overloaded');
    expect(error.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(error.retryAfterSeconds).toBeLessThanOrEqual(60);
    controller.abort();
    for (const { next } of waiting) expect((await failure(next)).code).toBe('client_closed_request');
    expect((await run(supervisor, 'answer')).at(-1)?.type).toBe('end');
  });

  it('lets nobody wait for room longer than the limit', async () => {
    const { supervisor } = start({ queueMsMax: 20 });
    expect((await failure(run(supervisor, 'queue'))).code).toBe('engine_overloaded');
  });

  it('ends a generation at once when its signal fires', async () => {
    const { supervisor } = start();
    const controller = new AbortController();
    const { stream, next } = await begin(supervisor, 'run', controller.signal);
    expect((await next).value).toMatchObject({ type: 'prefill' });
    const end = failure(stream.next());
    controller.abort();
    expect((await end).code).toBe('client_closed_request');
  });

  it('does not try a model again that cannot be loaded, and says why', async () => {
    const { supervisor, changes } = start({ load: { ...load, modelPath: 'refuse' } });
    await supervisor.settled();
    expect(supervisor.health()).toEqual({ state: 'failed', detail: 'refuse is no model.' });
    const error = await failure(hold(supervisor, 'answer'));
    expect(error.code).toBe('model_unavailable');
    expect(error.message).toContain('refuse is no model.');
    expect(changes).toHaveLength(1);
  });

  it('reports failure when the process keeps crashing at its start', async () => {
    const { supervisor, changes } = start({ load: { ...load, modelPath: 'crash' } });
    await supervisor.settled();
    expect(supervisor.health().state).toBe('failed');
    expect(changes.filter(({ type }) => type === 'crashed').length).toBeGreaterThanOrEqual(4);
  });

  it('leaves no process behind when it is closed', async () => {
    const { supervisor } = start();
    await supervisor.settled();
    const pid = supervisor.pid ?? 0;
    await supervisor.close();
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    expect((await failure(hold(supervisor, 'answer'))).code).toBe('model_unavailable');
  });
});
