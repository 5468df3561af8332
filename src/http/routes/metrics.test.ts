import { afterEach, describe, expect, it } from 'vitest';
import { createFreeMeter } from '../../billing/free-meter.ts';
import { type ScriptStep, scriptText } from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import { createServerMetrics } from '../../metrics/server-metrics.ts';
import {
  authorization,
  createTestApp,
  type TestApp,
  type TestAppOptions,
} from '../__fixtures__/create-test-app.ts';
import { chatBody, testModelId } from '../__fixtures__/wire.ts';

const token = 'metrics-token-0123456789-0123456789';
const opened: TestApp[] = [];

function open(options: TestAppOptions = {}) {
  const metrics = createServerMetrics();
  const testApp = createTestApp({
    script: () => scriptText('Hel', 'lo'),
    ...options,
    meter: metrics.watchTurns(createFreeMeter()),
    overrides: { metrics },
  });
  opened.push(testApp);
  return { ...testApp, metrics };
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ app }) => app.close()));
});

const readMetrics = ({ app }: TestApp, headers: Record<string, string> = {}, remoteAddress = '127.0.0.1') =>
  app.inject({ url: '/metrics', remoteAddress, headers: { host: '127.0.0.1:8787', ...headers } });

const chat = ({ app }: TestApp, fields: object = {}) =>
  app.inject({
    method: 'POST',
    url: '/v1/chat/completions',
    headers: authorization,
    payload: chatBody({ ...fields }),
  });

/** The samples of one metric, `{labels} value` each. */
const samplesOf = (text: string, name: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length));

describe('GET /metrics', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('200: is read from %s', async (address) => {
    const answer = await readMetrics(open(), {}, address);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it.each([
    ['another machine', '192.0.2.7', {}],
    ['another machine that says it is this one', '192.0.2.7', { 'x-forwarded-for': '127.0.0.1' }],
    ['a proxy on this machine', '127.0.0.1', { 'x-forwarded-for': '192.0.2.7' }],
    ['a proxy that was told to say loopback', '127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }],
    ['a proxy of another make', '127.0.0.1', { forwarded: 'for=192.0.2.7' }],
    ['a page in a browser', '127.0.0.1', { origin: 'https://example.org' }],
    ['a page without an origin', '127.0.0.1', { 'sec-fetch-site': 'cross-site' }],
    ['a name that was bound to this machine', '127.0.0.1', { host: 'example.org' }],
    ['a wrong token', '192.0.2.7', { authorization: `Bearer ${token}x` }],
  ])('401: is refused to %s, even where proxies are trusted', async (_, address, headers) => {
    const testApp = open({ settings: { metricsToken: token, trustedProxies: ['127.0.0.1'] } });
    const answer = await readMetrics(testApp, headers, address);
    expect(answer.statusCode).toBe(401);
    expect(answer.json().error.type).toBe('invalid_authentication_error');
    expect(answer.payload).not.toContain('perigee_');
  });

  it('401: takes no empty token where none is configured', async () => {
    const answer = await readMetrics(open(), { authorization: 'Bearer undefined' }, '192.0.2.7');
    expect(answer.statusCode).toBe(401);
  });

  it('200: is read from anywhere with the token', async () => {
    const testApp = open({ settings: { metricsToken: token } });
    const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': '192.0.2.7' };
    expect((await readMetrics(testApp, headers, '192.0.2.7')).statusCode).toBe(200);
  });

  it('404: is not there where nothing is counted', async () => {
    const testApp = createTestApp();
    opened.push(testApp);
    expect((await readMetrics(testApp)).statusCode).toBe(404);
  });
});

describe('the figures', () => {
  it('count requests, tokens and times of a model, streamed or not', async () => {
    const testApp = open();
    await chat(testApp);
    await chat(testApp, { stream: true });
    const { payload } = await readMetrics(testApp);
    expect(samplesOf(payload, 'perigee_requests_total')).toContain(
      `{method="POST",route="/v1/chat/completions",status="200",model="${testModelId}"} 2`,
    );
    expect(samplesOf(payload, 'perigee_tokens_total')).toEqual([
      `{model="${testModelId}",kind="input"} 20`,
      `{model="${testModelId}",kind="output"} 4`,
      `{model="${testModelId}",kind="cached_input"} 0`,
      `{model="${testModelId}",kind="object_cached_input"} 0`,
    ]);
    expect(samplesOf(payload, 'perigee_cache_hits_total')).toEqual([]);
    expect(samplesOf(payload, 'perigee_cache_hit_ratio')).toEqual([`{model="${testModelId}"} 0`]);
    for (const name of ['perigee_time_to_first_token_seconds', 'perigee_turn_duration_seconds']) {
      expect(samplesOf(payload, `${name}_count`)).toEqual([`{model="${testModelId}"} 2`]);
    }
    expect(samplesOf(payload, 'perigee_ledger_commit_seconds_count')).toEqual([
      '{step="hold"} 2',
      '{step="settle"} 2',
    ]);
    expect(samplesOf(payload, 'perigee_holds_open')).toEqual([' 0']);
    expect(payload).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('show the hit ratio, the tokens saved, and whether a context cache saved them', async () => {
    const usages = [
      { promptTokens: 100, cachedTokens: 0 },
      { promptTokens: 100, cachedTokens: 80 },
      { promptTokens: 200, cachedTokens: 180, objectCachedTokens: 150 },
    ];
    const script = (): ScriptStep[] => {
      const usage = usages.shift();
      if (usage === undefined) throw new Error('three answers were written down');
      return [
        { type: 'text-delta', choice: 0, text: 'x' },
        { type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: 1 },
        { type: 'finish', usage: { ...usage, completionTokens: 1, source: 'engine' } },
      ];
    };
    const testApp = open({ script });
    for (let turn = 0; turn < 3; turn++) expect((await chat(testApp)).statusCode).toBe(200);
    const { payload } = await readMetrics(testApp);
    expect(samplesOf(payload, 'perigee_cache_hit_ratio')).toEqual([`{model="${testModelId}"} 0.65`]);
    expect(samplesOf(payload, 'perigee_cache_hits_total')).toEqual([
      `{model="${testModelId}",by="automatic"} 1`,
      `{model="${testModelId}",by="object"} 1`,
    ]);
    expect(samplesOf(payload, 'perigee_tokens_total').slice(2)).toEqual([
      `{model="${testModelId}",kind="cached_input"} 260`,
      `{model="${testModelId}",kind="object_cached_input"} 150`,
    ]);
  });

  it('count failures by code, before an answer and within a stream', async () => {
    const fail: ScriptStep = { type: 'fail', error: new ApiError('engine_failed') };
    const testApp = open({ script: () => [...scriptText('x').slice(0, 1), fail] });
    await chat(testApp);
    await chat(testApp, { stream: true });
    await chat(testApp, { model: 'no/such' });
    const { payload } = await readMetrics(testApp);
    expect(samplesOf(payload, 'perigee_errors_total')).toEqual([
      '{code="engine_failed"} 2',
      '{code="model_not_found"} 1',
    ]);
    expect(samplesOf(payload, 'perigee_turns_total')).toEqual([
      `{model="${testModelId}",outcome="failed"} 2`,
    ]);
  });

  it('have no label that a caller could make up', async () => {
    const testApp = open();
    const count = async () =>
      samplesOf((await readMetrics(testApp)).payload, 'perigee_requests_total').length;
    await chat(testApp, { model: 'made/up-0' });
    await testApp.app.inject({ url: '/made/up/0' });
    await testApp.app.inject({ url: '/model/made/up/0' });
    const before = await count();
    for (let made = 1; made < 20; made += 1) {
      await chat(testApp, { model: `made/up-${made}` });
      await testApp.app.inject({ url: `/made/up/${made}` });
      await testApp.app.inject({ url: `/model/made/up/${made}` });
    }
    // One more is the reading of the metrics itself.
    expect(await count()).toBe(before + 1);
    expect((await readMetrics(testApp)).payload).not.toContain('made');
  });

  it('ask the embedded engine at every reading, and do without it', async () => {
    const testApp = open();
    let running: number | undefined;
    testApp.metrics.watchEngine(async () =>
      running === undefined
        ? undefined
        : {
            runningSequences: running,
            queuedGenerations: 2,
            kvCellsUsed: 3,
            kvCellsReserved: 4,
            kvCells: 5,
            residentBytes: 6,
            restarts: 7,
            storedPrefixes: 8,
            storedBytes: 9,
            restoredTokensTotal: 10,
          },
    );
    expect((await readMetrics(testApp)).statusCode).toBe(200);
    running = 1;
    const { payload } = await readMetrics(testApp);
    expect(samplesOf(payload, 'perigee_engine_running_sequences')).toEqual([' 1']);
    expect(samplesOf(payload, 'perigee_engine_kv_cells')).toEqual([
      '{state="used"} 3',
      '{state="reserved"} 4',
      '{state="total"} 5',
    ]);
    expect(samplesOf(payload, 'perigee_engine_stored_prefix_bytes')).toEqual([' 9']);
  });
});
