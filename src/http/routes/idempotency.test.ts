/** `Idempotency-Key` on chat completions: one request, one answer, one charge. */
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { verifyLedger } from '../../billing/verify-ledger.ts';
import { createBarrier } from '../../engines/scripted/barrier.ts';
import { type ScriptStep, scriptText } from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';
import { chatBody } from '../__fixtures__/wire.ts';

const dayMs = 24 * 3_600_000;

function ask(
  { send, key }: PlatformApp,
  fields: object = {},
  given: { readonly idempotencyKey?: string; readonly secret?: string; readonly headers?: object } = {},
) {
  return send(
    {
      method: 'POST',
      url: '/v1/chat/completions',
      headers: { 'idempotency-key': given.idempotencyKey ?? 'order-66', ...given.headers },
      payload: chatBody({ ...fields }),
    },
    given.secret ?? key,
  );
}

async function countCharges({ store }: PlatformApp): Promise<number> {
  const rows = await store.db
    .selectFrom('ledger_transfers')
    .select('id')
    .where('type', '=', 'MODEL_USAGE')
    .execute();
  expect((await verifyLedger(store)).problems).toEqual([]);
  return rows.length;
}

const kept = ['content-type', 'x-inference-id', 'x-request-id', 'x-perigee-model'] as const;
const keptOfJson = [...kept, 'x-aimlapi-credits-used', 'x-aimlapi-usd-spent'] as const;

describe.each(storeKinds)('a chat completion under an Idempotency-Key on %s', (kind) => {
  it.each([
    ['JSON', {}, keptOfJson],
    ['a stream', { stream: true }, kept],
    ['a stream with usage', { stream: true, stream_options: { include_usage: true } }, kept],
  ] as const)('200: is answered again byte for byte and charged once, as %s', async (_, fields, names) => {
    const app = await openPlatformApp(kind, { script: () => scriptText('Hel', 'lo') });
    const first = await ask(app, fields);
    const again = await ask(app, fields, { headers: { 'x-client-request-id': 'mine' } });
    expect([first.statusCode, again.statusCode]).toEqual([200, 200]);
    expect(again.rawPayload).toEqual(first.rawPayload);
    for (const name of names) expect([name, again.headers[name]]).toEqual([name, first.headers[name]]);
    expect(first.headers).not.toHaveProperty('x-perigee-idempotent-replay');
    expect(again.headers['x-perigee-idempotent-replay']).toBe('true');
    expect(again.headers['x-client-request-id']).toBe('mine');
    expect(app.engine.runs).toHaveLength(1);
    expect(await countCharges(app)).toBe(1);
  });

  it('200: is the same request under the alias and with its fields in another order', async () => {
    const app = await openPlatformApp(kind, { script: () => scriptText('x') });
    const first = await ask(app, { temperature: 0.5, seed: 1 });
    const body = chatBody({ seed: 1, temperature: 0.5 });
    const again = await app.send({
      method: 'POST',
      url: '/chat/completions',
      headers: { 'idempotency-key': 'order-66', 'content-type': 'application/json' },
      payload: JSON.stringify(Object.fromEntries(Object.entries(body).toReversed()), null, 2),
    });
    expect(again.rawPayload).toEqual(first.rawPayload);
    expect(await countCharges(app)).toBe(1);
  });

  it('409: is refused for another body, another mode and while one is being answered', async () => {
    const barrier = createBarrier();
    const app = await openPlatformApp(kind, {
      script: () => [{ type: 'wait', barrier } satisfies ScriptStep, ...scriptText('x')],
    });
    const first = ask(app);
    await barrier.reached();
    const others = [
      await ask(app, { temperature: 1 }),
      await ask(app, {}, { headers: { 'x-perigee-deterministic': 'true' } }),
    ];
    barrier.open();
    expect((await first).statusCode).toBe(200);
    others.push(await ask(app, { temperature: 1 }), await ask(app, { stream: true }));
    for (const answer of others) {
      expect(answer.statusCode).toBe(409);
      expect(answer.json().error).toMatchObject({
        type: 'invalid_request_error',
        code: 'idempotency_conflict',
      });
      expect(answer.headers['x-should-retry']).toBe('false');
    }
    expect(await countCharges(app)).toBe(1);
  });

  it('200: attaches a twin to the one in progress, with everything from its first byte on', async () => {
    const barrier = createBarrier();
    const [head, ...tail] = scriptText('Hel', 'lo');
    const app = await openPlatformApp(kind, {
      script: () => [head as ScriptStep, { type: 'wait', barrier }, ...tail], // The text has a first delta.
    });
    const first = ask(app, { stream: true });
    await barrier.reached();
    const twin = ask(app, { stream: true });
    barrier.open();
    const [one, two] = await Promise.all([first, twin]);
    expect(two.rawPayload).toEqual(one.rawPayload);
    expect(two.payload).toMatch(/\[DONE\]\n\n$/);
    expect(two.headers['x-perigee-idempotent-replay']).toBe('true');
    expect(await countCharges(app)).toBe(1);
  });

  it('200: belongs to its account: another one’s same key is another request', async () => {
    const app = await openPlatformApp(kind, { script: () => scriptText('x') });
    const first = await ask(app);
    const other = await ask(app, { temperature: 1 }, { secret: await app.addStranger() });
    expect([first.statusCode, other.statusCode]).toEqual([200, 200]);
    expect(await countCharges(app)).toBe(2);
  });

  it('keeps no failure: neither a refusal nor an engine that broke, before or in a stream', async () => {
    const steps: ScriptStep[][] = [
      [{ type: 'fail', error: new ApiError('engine_failed') }],
      [...scriptText('x').slice(0, 1), { type: 'fail', error: new ApiError('engine_failed') }],
      scriptText('x'),
    ];
    const app = await openPlatformApp(kind, { script: () => steps.shift() ?? [] });
    expect((await ask(app, { stream: true })).statusCode).toBe(500);
    expect((await ask(app, { stream: true })).payload).toContain('"code":"engine_failed"');
    const third = await ask(app, { stream: true });
    expect(third.payload).toMatch(/\[DONE\]/);
    expect(third.headers).not.toHaveProperty('x-perigee-idempotent-replay');
    expect(await countCharges(app)).toBe(1);
  });

  it('forgets after 24 hours', async () => {
    const app = await openPlatformApp(kind, { script: () => scriptText('x') });
    const first = await ask(app);
    app.setNow(testNowMs + dayMs - 1);
    expect((await ask(app)).headers['x-inference-id']).toBe(first.headers['x-inference-id']);
    app.setNow(testNowMs + dayMs);
    expect((await ask(app)).headers['x-inference-id']).not.toBe(first.headers['x-inference-id']);
    expect(await countCharges(app)).toBe(2);
  });

  it.each([
    ['no character', ''],
    ['a space', 'a b'],
    ['256 characters', 'k'.repeat(256)],
    ['an umlaut', 'schlüssel'],
  ])('400: is refused with a key of %s', async (_, idempotencyKey) => {
    const app = await openPlatformApp(kind, { script: () => scriptText('x') });
    const answer = await ask(app, {}, { idempotencyKey });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toMatchObject({ code: 'invalid_request', param: 'Idempotency-Key' });
  });
});

async function listen({ app, key }: PlatformApp) {
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    const closed = app.close();
    // Fetch opens a spare connection after an abort, and a close would wait until it times out.
    app.server.closeAllConnections();
    await closed;
  });
  const { port } = app.server.address() as AddressInfo; // It listens on TCP.
  return (signal: AbortSignal | null = null) =>
    fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': 'order-66',
      },
      body: JSON.stringify(chatBody({ stream: true })),
      signal,
    });
}

function scriptWithPause() {
  const barrier = createBarrier();
  const [head, ...tail] = scriptText('Hel', 'lo');
  const steps = [head as ScriptStep, { type: 'wait', barrier } as const, ...tail]; // The text has a first delta.
  return { barrier, script: () => steps };
}

describe.each(storeKinds)('a client that leaves its keyed request on %s', (kind) => {
  it('does not stop the work while a twin waits for it', async () => {
    const { barrier, script } = scriptWithPause();
    const app = await openPlatformApp(kind, { script });
    const post = await listen(app);
    const leave = new AbortController();
    const first = await post(leave.signal);
    await barrier.reached();
    const twin = await post();
    leave.abort();
    await expect(first.text()).rejects.toThrow();
    barrier.open();
    expect(await twin.text()).toMatch(/Hel.*lo.*\[DONE\]\n\n$/s);
    expect(await countCharges(app)).toBe(1);
  });

  it('stops the work when nobody waits, is charged for what was generated, and may ask anew', async () => {
    const { barrier, script } = scriptWithPause();
    const app = await openPlatformApp(kind, { script });
    const post = await listen(app);
    const leave = new AbortController();
    await post(leave.signal);
    await barrier.reached();
    leave.abort();
    await expect.poll(() => app.engine.openRunCount()).toBe(0);
    await expect.poll(() => countCharges(app)).toBe(1);
    barrier.open();
    const again = await post();
    expect(await again.text()).toMatch(/\[DONE\]\n\n$/);
    expect(again.headers.get('x-perigee-idempotent-replay')).toBeNull();
    expect(await countCharges(app)).toBe(2);
  });

  it('finds the finished answer when the setting lets work go on', async () => {
    const { barrier, script } = scriptWithPause();
    const app = await openPlatformApp(kind, { script, settings: { onClientLeft: 'finish' } });
    const post = await listen(app);
    const leave = new AbortController();
    await post(leave.signal);
    await barrier.reached();
    leave.abort();
    barrier.open();
    await expect.poll(() => countCharges(app)).toBe(1);
    const again = await post();
    expect(again.headers.get('x-perigee-idempotent-replay')).toBe('true');
    expect(await again.text()).toMatch(/Hel.*lo.*\[DONE\]\n\n$/s);
    expect(await countCharges(app)).toBe(1);
  });
});
