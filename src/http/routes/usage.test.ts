import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import { noUsage, recordUsage } from '../../usage/record-usage.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';

const model = 'moonshot/kimi-k2-turbo-preview';
const minuteMs = 60_000;

async function get(app: PlatformApp, url: string, secret?: string) {
  return await app.send({ url }, secret);
}

async function keyIdOf(app: PlatformApp): Promise<number> {
  const row = await app.store.db
    .selectFrom('api_keys')
    .select('id')
    .where('prefix', '=', app.key.slice(0, 8))
    .executeTakeFirstOrThrow();
  return row.id;
}

let recordCount = 0;

/** Writes one request, its sums included, as a settlement does. */
async function record(
  app: PlatformApp,
  at: string | number,
  given: { readonly model?: string; readonly nanoUsd?: bigint; readonly isFailed?: boolean } = {},
): Promise<void> {
  recordCount += 1;
  const status = given.isFailed === true ? 'failed' : 'succeeded';
  await app.store.commit(
    recordUsage({
      inferenceId: `chatcmpl-${recordCount}`,
      accountId: app.accountId,
      keyId: await keyIdOf(app),
      modelId: given.model ?? model,
      priceId: null,
      origin: 'api',
      status,
      errorCode: status === 'failed' ? 'engine_failed' : null,
      isClientLeft: false,
      ...noUsage,
      inputTokens: status === 'failed' ? 0 : 10,
      outputTokens: status === 'failed' ? 0 : 5,
      usageSource: 'engine',
      costNanoUsd: status === 'failed' ? 0n : (given.nanoUsd ?? 1_000n),
      clientRequestId: null,
      timeToFirstTokenMs: null,
      durationMs: 1,
      createdAt: typeof at === 'number' ? at : Date.parse(at),
    }),
  );
}

describe.each(storeKinds)('/v2/usage on %s', (kind) => {
  it('200: is what the key’s requests cost, in a window that ends now', async () => {
    const app = await openPlatformApp(kind, { script: () => scriptText('x') });
    await app.chat();
    app.setNow(testNowMs + 1_000);
    const answer = await get(app, '/v2/usage?period=24h');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      api_key_prefix: null,
      start: new Date(testNowMs + 1_000 - 86_400_000).toISOString(),
      end: new Date(testNowMs + 1_000).toISOString(),
      spend: 0.0000195,
      currency: 'USD',
      requests: 1,
    });
  });

  it('200: counts exactly what began in the window, to the millisecond', async () => {
    const app = await openPlatformApp(kind);
    const start = Date.UTC(2026, 5, 1, 10, 7, 30);
    const end = start + 100 * minuteMs;
    // Around both ends, around the quarters of an hour next to them, and in the middle.
    for (const at of [start, end, start + 8 * minuteMs, end - 3 * minuteMs, start + 50 * minuteMs]) {
      for (const offset of [-1, 0, 1]) await record(app, at + offset);
    }
    const iso = (ms: number) => new Date(ms).toISOString();
    const answer = await get(app, `/v2/usage?start=${iso(start)}&end=${iso(end)}`);
    expect(answer.json()).toMatchObject({ spend: 0.000012, requests: 12, start: iso(start), end: iso(end) });
    const short = await get(app, `/v2/usage?start=${iso(start)}&end=${iso(start + 1)}`);
    expect(short.json()).toMatchObject({ requests: 1 });
    const empty = await get(app, `/v2/usage?start=${iso(start)}&end=${iso(start)}`);
    expect(empty.json()).toMatchObject({ spend: 0, requests: 0 });
  });

  it('200: reads moments without an offset as UTC, and echoes UTC', async () => {
    const app = await openPlatformApp(kind);
    const ask = async (start: string, end: string) =>
      (await get(app, `/v2/usage?start=${start}&end=${end}`)).json();
    const expected = { start: '2026-07-01T00:00:00.000Z', end: '2026-07-02T12:30:00.000Z' };
    expect(await ask('2026-07-01', '2026-07-02T12:30')).toMatchObject(expected);
    expect(await ask('2026-07-01T05:30:00+05:30', '2026-07-02T12:30:00.000')).toMatchObject(expected);
    expect(await ask('2026-07-01T05:30:00%2B05:30', '2026-07-02T12:30:00Z')).toMatchObject(expected);
  });

  it('200: a management key sees each key of its account, deleted ones too', async () => {
    const app = await openPlatformApp(kind, { script: () => scriptText('x') });
    await app.chat();
    app.setNow(testNowMs + 1);
    const prefix = app.key.slice(0, 8);
    const url = `/v2/usage?period=1d&key_prefix=${prefix}`;
    const seen = { api_key_prefix: prefix, spend: 0.0000195, requests: 1 };
    expect((await get(app, url, app.managementKey)).json()).toMatchObject(seen);
    expect((await get(app, url)).json()).toMatchObject(seen);
    await app.send({ method: 'DELETE', url: `/v1/keys/${prefix}` }, app.managementKey);
    expect((await get(app, url, app.managementKey)).json()).toMatchObject(seen);
    expect((await get(app, '/v2/usage?period=1d', app.managementKey)).json()).toMatchObject({ requests: 0 });
  });

  it('400: names what is wrong with the window', async () => {
    const app = await openPlatformApp(kind);
    const cases: readonly (readonly [string, string])[] = [
      ['', 'period'],
      ['period=0d', 'period'],
      ['period=24', 'period'],
      ['period=1.5h', 'period'],
      ['period=93d', 'period'],
      ['period=2209h', 'period'],
      ['period=1d&period=2d', 'period'],
      ['period=1d&start=2026-07-01&end=2026-07-02', 'period'],
      ['start=2026-07-01', 'end'],
      ['end=2026-07-01', 'start'],
      ['start=2026-07-02&end=2026-07-01', 'end'],
      ['start=2026-01-01&end=2026-04-03T00:00:00.001Z', 'end'],
      ['start=2026-02-30&end=2026-03-01', 'start'],
      ['start=today&end=2026-03-01', 'start'],
    ];
    for (const path of ['/v2/usage', '/v2/usage/detail', '/v2/logs']) {
      for (const [query, param] of cases) {
        const answer = await get(app, `${path}?${query}`);
        expect([path, query, answer.statusCode, answer.json().error?.param]).toEqual([
          path,
          query,
          400,
          param,
        ]);
      }
    }
    expect((await get(app, '/v2/usage?start=today&end=2026-03-01')).json().error.message).toContain(
      'start: expected a moment such as 2026-07-01T00:00:00Z, or a date',
    );
    expect((await get(app, '/v2/usage?start=2026-01-01&end=2026-04-03')).statusCode).toBe(200);
    expect((await get(app, '/v2/usage?period=1d&group_by=day')).json().error.param).toBe('group_by');
    expect((await get(app, '/v2/usage?period=1d&tz=UTC')).json().error.param).toBe('tz');
  });

  it('401, 403, 404: show usage to its owner only', async () => {
    const app = await openPlatformApp(kind);
    const foreign = (await app.addStranger()).slice(0, 8);
    const management = app.managementKey.slice(0, 8);
    for (const path of ['/v2/usage', '/v2/usage/detail', '/v2/logs']) {
      const url = `${path}?period=1d`;
      expect((await get(app, url, 'none')).statusCode).toBe(401);
      for (const prefix of [foreign, management, 'zzzzzzzz', '']) {
        const answer = await get(app, `${url}&key_prefix=${prefix}`);
        expect([answer.statusCode, answer.json().error.code]).toEqual([403, 'scope_denied']);
      }
      for (const prefix of [foreign, 'zzzzzzzz', '']) {
        const answer = await get(app, `${url}&key_prefix=${prefix}`, app.managementKey);
        expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'key_not_found']);
      }
    }
  });
});

describe.each(storeKinds)('/v2/usage/detail on %s', (kind) => {
  async function openWithDays(): Promise<PlatformApp> {
    const app = await openPlatformApp(kind);
    await record(app, '2026-07-01T18:29:59.999Z', { nanoUsd: 3_000n });
    await record(app, '2026-07-01T18:30:00.000Z', { nanoUsd: 1_000n });
    await record(app, '2026-07-01T18:31:00.000Z', { model: 'other/model', nanoUsd: 5_000n });
    await record(app, '2026-07-02T00:00:00.000Z', { isFailed: true });
    await record(app, '2026-07-03T01:00:00.000Z', { nanoUsd: 0n });
    return app;
  }
  const url = '/v2/usage/detail?start=2026-07-01T00:00:00Z&end=2026-07-04T00:00:00Z';
  const first = { spend: 0.000003, tokens: { input: 10, output: 5, total: 15 } };

  it('200: breaks the spend down by model, highest first, and has groups only when asked', async () => {
    const app = await openWithDays();
    const answer = await get(app, url);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      api_key_prefix: null,
      start: '2026-07-01T00:00:00.000Z',
      end: '2026-07-04T00:00:00.000Z',
      spend: 0.000009,
      currency: 'USD',
      requests: 3,
      models: [
        { model: 'other/model', spend: 0.000005, requests: 1 },
        { model, spend: 0.000004, requests: 2 },
      ],
    });
  });

  it('200: groups by the days of a time zone', async () => {
    const app = await openWithDays();
    const groupsOf = async (query: string) => (await get(app, `${url}&${query}`)).json().groups;
    const one = { total: 1, charged: 1, succeeded: 1, failed: 0 };
    expect(await groupsOf('group_by=day&tz=Asia/Kolkata')).toEqual([
      { day: '2026-07-01', ...first, requests: one },
      {
        day: '2026-07-02',
        spend: 0.000006,
        tokens: { input: 20, output: 10, total: 30 },
        requests: { total: 3, charged: 2, succeeded: 2, failed: 1 },
      },
      {
        day: '2026-07-03',
        spend: 0,
        tokens: { input: 10, output: 5, total: 15 },
        requests: { total: 1, charged: 0, succeeded: 1, failed: 0 },
      },
    ]);
    const utc = await groupsOf('group_by=day');
    expect(utc.map(({ day, spend }: { day: string; spend: number }) => [day, spend])).toEqual([
      ['2026-07-01', 0.000009],
      ['2026-07-02', 0],
      ['2026-07-03', 0],
    ]);
  });

  it('200: groups by model, and by day and model', async () => {
    const app = await openWithDays();
    const groupsOf = async (query: string) =>
      (await get(app, `${url}&${query}`))
        .json()
        .groups.map((group: Record<string, unknown>) => [group.day, group.model, group.spend]);
    expect(await groupsOf('group_by=model')).toEqual([
      [undefined, 'other/model', 0.000005],
      [undefined, model, 0.000004],
    ]);
    expect(await groupsOf('group_by=day,model&tz=Asia/Kolkata')).toEqual([
      ['2026-07-01', model, 0.000003],
      ['2026-07-02', 'other/model', 0.000005],
      ['2026-07-02', model, 0.000001],
      ['2026-07-03', model, 0],
    ]);
  });

  it('200: has one answer for a window of 92 days in every zone', async () => {
    const app = await openWithDays();
    const window = 'start=2026-04-10T03:07:00Z&end=2026-07-11T03:07:00Z';
    for (const zone of ['UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Chatham']) {
      const answer = await get(app, `/v2/usage/detail?${window}&group_by=day,model&tz=${zone}`);
      const { groups, spend } = answer.json();
      expect([zone, spend]).toEqual([zone, 0.000009]);
      const sum = groups.reduce((total: number, group: { spend: number }) => total + group.spend, 0);
      expect(sum).toBeCloseTo(0.000009, 12);
    }
  });

  it('400: refuses other groupings and names of zones', async () => {
    const app = await openPlatformApp(kind);
    for (const query of ['group_by=hour', 'group_by=model,day', 'group_by=']) {
      expect((await get(app, `${url}&${query}`)).json().error.param).toBe('group_by');
    }
    for (const zone of ['utc', '%2B05:30', 'asia/kolkata', 'Asia/Calcutta', '']) {
      const answer = await get(app, `${url}&group_by=day&tz=${zone}`);
      expect([zone, answer.statusCode, answer.json().error?.param]).toEqual([zone, 400, 'tz']);
    }
  });
});

describe.each(storeKinds)('/v2/logs on %s', (kind) => {
  it('200: has a row per request, failed ones too, newest first', async () => {
    let isBroken = false;
    const app = await openPlatformApp(kind, {
      script: () =>
        isBroken ? [{ type: 'fail', error: new ApiError('engine_failed') }] : scriptText('x', 'y'),
    });
    const send = async (name: string) =>
      await app.send({
        method: 'POST',
        url: '/v1/chat/completions',
        headers: { 'x-client-request-id': name },
        payload: { model, messages: [{ role: 'user', content: 'Hello' }] },
      });
    const answered = await send('customer-42');
    isBroken = true;
    app.setNow(testNowMs + 5);
    const failed = await send('bad name');
    app.setNow(testNowMs + 10);
    const answer = await get(app, '/v2/logs?period=1h');
    expect(answer.statusCode).toBe(200);
    const shared = { origin: 'api', model };
    expect(answer.json()).toEqual({
      data: [
        {
          ...shared,
          created: new Date(testNowMs + 5).toISOString(),
          status: 'failed',
          cost: { usd: 0, credits: 0 },
          tokens: { input: 0, output: 0, total: 0 },
          request_id: failed.headers['x-request-id'],
          inference_id: failed.headers['x-inference-id'],
          client_request_id: null,
        },
        {
          ...shared,
          created: new Date(testNowMs).toISOString(),
          status: 'succeeded',
          cost: { usd: 0.0000275, credits: 55 },
          tokens: { input: 10, output: 2, total: 12 },
          request_id: answered.headers['x-request-id'],
          inference_id: answered.headers['x-inference-id'],
          client_request_id: 'customer-42',
        },
      ],
      pagination: { limit: 50, offset: 0, total: 2, has_more: false },
    });
  });

  it('200: filters by model and outcome, repeated, and pages', async () => {
    const app = await openPlatformApp(kind);
    const at = Date.UTC(2026, 6, 1);
    for (let minute = 0; minute < 5; minute += 1) await record(app, at + minute);
    await record(app, at + 10, { model: 'other/model' });
    await record(app, at + 20, { isFailed: true });
    const ask = async (query: string) =>
      (await get(app, `/v2/logs?start=2026-07-01&end=2026-07-02&${query}`)).json();
    const totalOf = async (query: string) => (await ask(query)).pagination.total;
    expect(await totalOf('')).toBe(7);
    expect(await totalOf('model=kimi-k2-turbo-preview')).toBe(6);
    expect(await totalOf(`model=${model}&model=other/model&status=succeeded`)).toBe(6);
    expect(await totalOf(`model=${model},other/model`)).toBe(0);
    expect(await totalOf('status=failed')).toBe(1);
    expect(await totalOf('status=failed&status=succeeded')).toBe(7);
    const pages = [await ask('limit=3'), await ask('limit=3&offset=3'), await ask('limit=3&offset=6')];
    expect(pages.map(({ pagination }) => pagination.has_more)).toEqual([true, true, false]);
    const ids = pages.flatMap(({ data }) => data.map(({ inference_id: id }: { inference_id: string }) => id));
    expect(new Set(ids).size).toBe(7);
  });

  it('400: refuses what is no filter', async () => {
    const app = await openPlatformApp(kind);
    const cases: readonly (readonly [string, string])[] = [
      ['status=succeeded,failed', 'status[0]'],
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['offset=-1', 'offset'],
      ['offset=x', 'offset'],
      [Array.from({ length: 51 }, () => 'model=a').join('&'), 'model'],
    ];
    for (const [query, param] of cases) {
      const answer = await get(app, `/v2/logs?period=1d&${query}`);
      expect([query, answer.statusCode, answer.json().error?.param]).toEqual([query, 400, param]);
    }
  });
});
