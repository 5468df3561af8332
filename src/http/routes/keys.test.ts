import type { InjectOptions } from 'fastify';
import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';

const script = () => scriptText('x');
const now = new Date(testNowMs).toISOString();

async function manage(app: PlatformApp, request: InjectOptions) {
  return await app.send(request, app.managementKey);
}

async function create(app: PlatformApp, payload: object = {}) {
  return (await manage(app, { method: 'POST', url: '/v1/keys', payload })).json().data;
}

const patch = (prefix: string, payload: object): InjectOptions => ({
  method: 'PATCH',
  url: `/v1/keys/${prefix}`,
  payload,
});

describe.each(storeKinds)('/v1/keys on %s', (kind) => {
  it('POST 200: makes a key, shows it once, and the key works', async () => {
    const app = await openPlatformApp(kind, { script });
    const limit = { retention: 'week', threshold: 25.5 };
    const payload = { name: 'ci', limit, scopes: ['chat', 'model:kimi-k2-turbo'] };
    const answer = await manage(app, { method: 'POST', url: '/v1/keys', payload });
    expect(answer.statusCode).toBe(200);
    const { key, ...rest } = answer.json().data;
    expect(rest).toEqual({
      name: 'ci',
      disabled: false,
      prefix: key.slice(0, 8),
      scopes: ['chat', 'model:moonshot/kimi-k2-turbo-preview'],
      limit,
      created_at: now,
      updated_at: now,
      monthly_usage: 0,
    });
    expect((await app.chat({}, key)).statusCode).toBe(200);
    const listed = await manage(app, { url: '/v1/keys' });
    expect(listed.body).not.toContain(key);
    expect(listed.json().data.map(({ prefix }: { prefix: string }) => prefix)).toEqual([
      app.key.slice(0, 8),
      rest.prefix,
    ]);
  });

  it('POST 200: needs no body, and then limits nothing', async () => {
    const app = await openPlatformApp(kind);
    const answer = await manage(app, { method: 'POST', url: '/v1/keys' });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().data).toMatchObject({ name: null, scopes: null });
    expect(answer.json().data).not.toHaveProperty('limit');
  });

  it('GET 200: says what each key has spent this month', async () => {
    const app = await openPlatformApp(kind, { script });
    await app.chat();
    const [first] = (await manage(app, { url: '/v1/keys' })).json().data;
    // 10 tokens at 1.15 and one at 8.00 dollars per million.
    expect(first).toMatchObject({ name: 'first', limit: null, monthly_usage: 0.0000195 });
    app.setNow(Date.UTC(2026, 1, 1));
    expect((await manage(app, { url: '/v1/keys' })).json().data[0].monthly_usage).toBe(0);
  });

  it('PATCH 200: changes what it names and leaves the rest', async () => {
    const app = await openPlatformApp(kind, { script });
    const { prefix, key } = await create(app, { name: 'a', limit: { retention: 'day', threshold: 1 } });
    app.setNow(testNowMs + 5_000);
    const renamed = await manage(app, patch(prefix, { name: 'b', limit: { threshold: 0.1 + 0.2 } }));
    expect(renamed.statusCode).toBe(200);
    expect(renamed.json().data).toMatchObject({
      name: 'b',
      limit: { retention: 'day', threshold: 0.3 },
      scopes: null,
      disabled: false,
      created_at: now,
      updated_at: new Date(testNowMs + 5_000).toISOString(),
    });
    const disabled = await manage(app, patch(prefix, { disabled: true }));
    expect(disabled.json().data).toMatchObject({ name: 'b', disabled: true });
    expect((await app.chat({}, key)).statusCode).toBe(401);
    await manage(app, patch(prefix, { disabled: false, limit: null }));
    expect((await app.chat({}, key)).statusCode).toBe(200);
  });

  it('PATCH 200: a limit set in the middle of a period counts what was spent in it', async () => {
    const app = await openPlatformApp(kind, { script });
    await app.chat();
    const prefix = app.key.slice(0, 8);
    // One more turn would hold 10 × 1.15 + 64 × 8.00 dollars per million; the output is lowered to what fits.
    await manage(app, patch(prefix, { limit: { retention: 'day', threshold: 0.00002 } }));
    const refused = await app.chat();
    expect(refused.statusCode).toBe(403);
    expect(refused.json().error.code).toBe('key_limit_reached');
    app.setNow(testNowMs + 86_400_000);
    expect((await app.chat()).statusCode).toBe(200);
  });

  it('DELETE 200: stops the key for ever, and keeps its usage', async () => {
    const app = await openPlatformApp(kind, { script });
    const { prefix, key } = await create(app);
    await app.chat({}, key);
    const answer = await manage(app, { method: 'DELETE', url: `/v1/keys/${prefix}` });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ data: { prefix, deleted: true } });
    expect((await app.chat({}, key)).statusCode).toBe(401);
    expect((await manage(app, patch(prefix, { disabled: false }))).statusCode).toBe(404);
    expect((await manage(app, { method: 'DELETE', url: `/v1/keys/${prefix}` })).statusCode).toBe(404);
    expect((await manage(app, { url: '/v1/keys' })).json().data).toHaveLength(1);
    const rows = await app.store.db.selectFrom('usage_requests').select('status').execute();
    expect(rows).toEqual([{ status: 'succeeded' }]);
  });

  it('400: names the field of a body that cannot be used', async () => {
    const app = await openPlatformApp(kind);
    const post = (payload: object): InjectOptions => ({ method: 'POST', url: '/v1/keys', payload });
    const own = (payload: object): InjectOptions => patch(app.key.slice(0, 8), payload);
    const cases: readonly (readonly [InjectOptions, string])[] = [
      [post({ limits: {} }), 'the body'],
      [post({ name: 'x'.repeat(201) }), 'name'],
      [post({ limit: { retention: 'year', threshold: 1 } }), 'limit.retention'],
      [post({ limit: { retention: 'day' } }), 'limit.threshold'],
      // Money: a slip of the pen makes no key that nothing limits.
      [post({ limit: { limit: 1 } }), 'limit.threshold'],
      [post({ limit: {} }), 'limit.threshold'],
      [own({ limit: { limit: 1 } }), 'limit'],
      [post({ limit: { retention: 'day', threshold: -1 } }), 'limit.threshold'],
      [post({ scopes: ['chat', 'chatt'] }), 'scopes[1]'],
      [post({ scopes: ['model:gpt-4o'] }), 'scopes[0]'],
      [own({ disable: true }), 'the body'],
      [own({ limit: { retention: 'day' } }), 'limit.threshold'],
      [own({ disabled: 'yes' }), 'disabled'],
    ];
    for (const [request, place] of cases) {
      const answer = await manage(app, request);
      expect([request.payload, answer.statusCode]).toEqual([request.payload, 400]);
      expect(answer.json().message).toContain(`Body validation error: ${place}: `);
    }
  });

  it('401: is closed without a key', async () => {
    const app = await openPlatformApp(kind);
    for (const request of everyRequest(app)) expect((await app.send(request, 'none')).statusCode).toBe(401);
  });

  it('403: is closed to regular keys, and management keys are closed to inference', async () => {
    const app = await openPlatformApp(kind);
    for (const request of everyRequest(app)) {
      const answer = await app.send(request);
      expect(answer.statusCode).toBe(403);
      expect(answer.json().error.code).toBe('scope_denied');
    }
    expect((await app.chat({}, app.managementKey)).statusCode).toBe(403);
  });

  it('403: does not change management keys', async () => {
    const app = await openPlatformApp(kind);
    const prefix = app.managementKey.slice(0, 8);
    expect((await manage(app, patch(prefix, { disabled: true }))).statusCode).toBe(403);
    expect((await manage(app, { method: 'DELETE', url: `/v1/keys/${prefix}` })).statusCode).toBe(403);
  });

  it('404: does not know the keys of others', async () => {
    const app = await openPlatformApp(kind);
    const prefix = (await app.addStranger()).slice(0, 8);
    const answer = await manage(app, patch(prefix, { disabled: true }));
    expect(answer.statusCode).toBe(404);
    expect(answer.json().error.code).toBe('key_not_found');
    expect((await manage(app, { method: 'DELETE', url: `/v1/keys/${prefix}` })).statusCode).toBe(404);
  });
});

function everyRequest(app: PlatformApp): readonly InjectOptions[] {
  const url = `/v1/keys/${app.key.slice(0, 8)}`;
  return [
    { method: 'POST', url: '/v1/keys' },
    { method: 'GET', url: '/v1/keys' },
    { method: 'PATCH', url, payload: { name: 'mine' } },
    { method: 'DELETE', url },
  ];
}

describe.each(storeKinds)('GET /v1/key on %s', (kind) => {
  it('200: describes the key that asks', async () => {
    const app = await openPlatformApp(kind);
    const answer = await app.send({ url: '/v1/key' });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().data).toMatchObject({ name: 'first', prefix: app.key.slice(0, 8) });
  });

  it('200: describes the key that was used last to a management key', async () => {
    const app = await openPlatformApp(kind, { script });
    const { key, prefix } = await create(app, { name: 'second' });
    app.setNow(testNowMs + 120_000);
    await app.chat();
    app.setNow(testNowMs + 240_000);
    await app.chat({}, key);
    await expect
      .poll(async () => (await manage(app, { url: '/v1/key' })).json().data)
      .toMatchObject({ name: 'second', prefix });
  });

  it('401: is closed without a key', async () => {
    const app = await openPlatformApp(kind);
    expect((await app.send({ url: '/v1/key' }, 'none')).statusCode).toBe(401);
  });
});
