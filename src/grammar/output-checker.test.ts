import { afterEach, describe, expect, it, vi } from 'vitest';
import type { JsonSchema, JsonValue } from '../chat/types.ts';
import { jobSecondsMax } from './check-thread.ts';
import { createOutputChecker, type OutputChecker } from './output-checker.ts';

const stays = { accountId: 1, signal: new AbortController().signal };
const integer = [{ schema: { type: 'integer' }, param: 'a' }];
/** Takes seconds of CPU time to compile, and a second at the very least. */
const hostile = [{ schema: manyReferences(3000), param: 'tools[0].function.parameters' }];

const checkers: OutputChecker[] = [];
function createChecker(): OutputChecker {
  const checker = createOutputChecker();
  checkers.push(checker);
  return checker;
}
afterEach(async () => {
  vi.useRealTimers();
  for (const checker of checkers.splice(0)) await checker.close();
});

describe('checks of answers', () => {
  it('say what `check-output.ts` says, in the order of the schemas', async () => {
    const [first, second] = await createChecker().compile(
      [...integer, { schema: { properties: { n: { type: 'null' } } }, param: 'b' }],
      stays,
    );
    expect(await first?.('1')).toEqual({ isValid: true });
    expect(await first?.('"x"')).toEqual({ isValid: false, reason: 'the value must be integer' });
    expect(await second?.('{"n":1}')).toEqual({ isValid: false, reason: '/n must be null' });
  });

  it('are none where no schema is', async () => {
    expect(await createChecker().compile([], stays)).toEqual([]);
  });

  it('name the field of the one schema that cannot be used', async () => {
    const schemas = [...integer, { schema: { $ref: '#/nowhere' }, param: 'tools[1].function.parameters' }];
    await expect(createChecker().compile(schemas, stays)).rejects.toMatchObject({
      name: 'ApiError',
      code: 'invalid_schema',
      message: expect.stringContaining('#/nowhere'),
      param: 'tools[1].function.parameters',
    });
  });

  it('refuse a schema that is nested too deep to be written down', async () => {
    let schema: { readonly [keyword: string]: JsonValue } = {};
    for (let depth = 0; depth < 100_000; depth += 1) schema = { not: schema };
    await expect(createChecker().compile([{ schema, param: 'p' }], stays)).rejects.toMatchObject({
      code: 'invalid_schema',
      param: 'p',
    });
  });

  it('leave the event loop to others while a large schema compiles', async () => {
    // On a busy machine it may take longer than the bound, which is not at issue here.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let isCompiled = false;
    const large = [{ schema: manyReferences(600), param: 'a' }];
    const compiling = createChecker()
      .compile(large, stays)
      .finally(() => {
        isCompiled = true;
      });
    let turns = 0;
    while (!isCompiled) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    const [check] = await compiling;
    expect(turns).toBeGreaterThan(100);
    expect(await check?.('{"p7":1}')).toMatchObject({ isValid: false });
  });
});

describe('the checks of several accounts', () => {
  it('take turns: nobody waits behind all that another account has sent', async () => {
    const checker = createChecker();
    const order: string[] = [];
    const send = async (name: string, accountId: number): Promise<void> => {
      await checker.compile(integer, { ...stays, accountId });
      order.push(name);
    };
    await Promise.all([send('a1', 1), send('a2', 1), send('a3', 1), send('b1', 2), send('c1', 3)]);
    expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3']);
  });
});

describe('a schema that takes too long', () => {
  it('is refused after the bound, and holds up nobody for longer', async () => {
    const checker = createChecker();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const refused = expect(checker.compile(hostile, stays)).rejects.toMatchObject({
      code: 'invalid_schema',
      message: expect.stringContaining('the JSON Schema is too complex to check'),
      param: 'tools[0].function.parameters',
    });
    const others = [checker.compile(integer, stays), checker.compile(integer, stays)];
    vi.advanceTimersByTime(jobSecondsMax * 1000);
    await refused;
    for (const other of others) {
      const [check] = await other;
      expect(await check?.('1')).toEqual({ isValid: true });
    }
  });

  it('is one of several: all are blamed together', async () => {
    const checker = createChecker();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const refused = expect(checker.compile([...integer, ...hostile], stays)).rejects.toMatchObject({
      code: 'invalid_schema',
      param: undefined,
    });
    vi.advanceTimersByTime(jobSecondsMax * 1000);
    await refused;
  });

  it('ends the turn when an answer is judged by it', async () => {
    const checker = createChecker();
    const [check] = await checker.compile(integer, stays);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const judged = expect(check?.('1')).rejects.toMatchObject({ code: 'unexpected_output' });
    vi.advanceTimersByTime(jobSecondsMax * 1000);
    await judged;
    // The fresh thread has compiled nothing yet.
    expect(await check?.('1')).toEqual({ isValid: true });
  });
});

describe('the end', () => {
  it('a client that left waits for nothing, and its waiting jobs are not done', async () => {
    const checker = createChecker();
    const leaving = new AbortController();
    const running = checker.compile(hostile, { ...stays, signal: leaving.signal });
    const waiting = checker.compile(hostile, { ...stays, signal: leaving.signal });
    leaving.abort();
    await expect(running).rejects.toMatchObject({ code: 'client_closed_request' });
    await expect(waiting).rejects.toMatchObject({ code: 'client_closed_request' });
    await expect(checker.compile(integer, { ...stays, signal: leaving.signal })).rejects.toMatchObject({
      code: 'client_closed_request',
    });
  });

  it('closing ends running and waiting work at once', async () => {
    const checker = createChecker();
    const jobs = [checker.compile(hostile, stays), checker.compile(integer, stays)];
    const ended = Promise.all(
      jobs.map((job) => expect(job).rejects.toMatchObject({ code: 'engine_failed' })),
    );
    await checker.close();
    await ended;
    await expect(checker.compile(integer, stays)).rejects.toMatchObject({ code: 'engine_failed' });
  });
});

function manyReferences(count: number): JsonSchema {
  const properties = Array.from({ length: count }, (_, i) => [`p${i}`, { $ref: `#/$defs/d${i}` }]);
  const definitions = Array.from({ length: count }, (_, i) => [`d${i}`, { type: 'string' }]);
  return { properties: Object.fromEntries(properties), $defs: Object.fromEntries(definitions) };
}
