/** A million usage rows of one key over 30 days, and how long the report over all of them takes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { seedBootstrap } from '../../src/accounts/seed-bootstrap.ts';
import { buildLimits } from '../../src/build-limits.ts';
import { buildPlatform } from '../../src/build-platform.ts';
import { loadConfig } from '../../src/config.ts';
import { createTestApp } from '../../src/http/__fixtures__/create-test-app.ts';
import { createKeyDirectory } from '../../src/keys/key-directory.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { rollupBucketMs } from '../../src/usage/record-usage.ts';
import { startPostgres } from '../../test/services/start-postgres.ts';
import { watchOwnEventLoop } from '../engine/watch-event-loop.ts';
import { median } from '../statistics.ts';

export interface ReportFigures {
  readonly name: string;
  /** `GET /v2/usage/detail?group_by=day,model&tz=Asia/Kolkata` over 30 days. */
  readonly detailMs: number;
  readonly detailMaxMs: number;
  /** `GET /v2/logs` at an offset of 900,000. */
  readonly deepLogMs: number;
  /** Longest block of the event loop while all of it ran. */
  readonly loopMaxMs: number;
  /** The longest that our own code held it, in CPU time; the database shares the cores with it. */
  readonly loopHeldMs: number;
}

const rowCount = 1_000_000;
const days = 30;
const dayMs = 86_400_000;
const repetitions = 20;
const warmUps = 5;
/** An odd moment, so that both ends of the window stick out of their quarter of an hour. */
const end = Date.parse('2026-11-23T10:07:13.123Z');

export async function measureReports(report: (line: string) => void): Promise<readonly ReportFigures[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-bench-'));
  const postgres = await startPostgres();
  const figures: ReportFigures[] = [];
  try {
    for (const [name, databaseUrl] of [
      ['SQLite', undefined],
      ['PostgreSQL', postgres.url],
    ] as const) {
      const store = await openStore({ dataDir: folder, databaseUrl, purpose: 'server' });
      try {
        figures.push({ name, ...(await measureStore(store)) });
      } finally {
        await store.close();
      }
      report(JSON.stringify(figures.at(-1)));
    }
    return figures;
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureStore(store: Store): Promise<Omit<ReportFigures, 'name'>> {
  const apiKey = (await seedBootstrap(store))?.apiKey ?? '';
  await fill(store);
  const clock = { now: () => end };
  const logger = { info: () => undefined, warn: () => undefined };
  const limits = buildLimits(store, { config: loadConfig({ environment: {} }), logger });
  const { app } = createTestApp({
    overrides: {
      keys: createKeyDirectory(store, { readRateLimits: limits.readRateLimits }),
      clock,
      platform: buildPlatform(store, clock, { limits: limits.administration, signUpCreditNanoUsd: 0n }),
    },
  });
  const time = async (url: string): Promise<number> => {
    const startedAt = performance.now();
    const answer = await app.inject({ url, headers: { authorization: `Bearer ${apiKey}` } });
    if (answer.statusCode !== 200) throw new Error(answer.payload);
    return performance.now() - startedAt;
  };
  const detail = `/v2/usage/detail?period=${days}d&group_by=day,model&tz=Asia/Kolkata`;
  const deepLog = `/v2/logs?period=${days}d&limit=100&offset=900000`;
  // Some without the watch: code is loaded and compiled then, and what loading left behind is collected.
  for (let repetition = 0; repetition < warmUps; repetition += 1) {
    await time(detail);
    await time(deepLog);
  }
  const stopWatch = watchOwnEventLoop();
  const details: number[] = [];
  const logs: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    details.push(await time(detail));
    logs.push(await time(deepLog));
  }
  const { maxMs, heldMaxMs } = await stopWatch();
  await app.close();
  await limits.close();
  return {
    detailMs: median(details),
    detailMaxMs: Math.max(...details),
    deepLogMs: median(logs),
    loopMaxMs: maxMs,
    loopHeldMs: heldMaxMs,
  };
}

const modelCount = 5;
/** Rows per statement: the store gives up on a query that takes too long. */
const rowsPerStatement = 25_000;

/** Written by the database itself: a million commits would take longer than all the rest. */
async function fill(store: Store): Promise<void> {
  const { id: keyId, account_id: accountId } = await store.db
    .selectFrom('api_keys')
    .select(['id', 'account_id'])
    .executeTakeFirstOrThrow();
  const number = (value: number) => sql.raw(String(value));
  const from = number(end - days * dayMs);
  for (let first = 0; first < rowCount; first += rowsPerStatement) {
    const last = number(first + rowsPerStatement - 1);
    await sql`insert into usage_requests (inference_id, account_id, key_id, model_id, origin, status, is_client_left,
        input_tokens, cached_tokens, output_tokens, cost_nano_usd, duration_ms, created_at)
      with recursive numbers (i) as (select ${number(first)} union all select i + 1 from numbers where i < ${last})
      select 'chatcmpl-' || i, ${number(accountId)}, ${number(keyId)}, 'acme/model-' || (i % ${number(modelCount)}),
        'api', case when i % 50 = 0 then 'failed' else 'succeeded' end, 0, 1000, 500, 100,
        case when i % 50 = 0 then 0 else 1000000 end, 900,
        ${from} + cast(i as bigint) * ${number(days * dayMs)} / ${number(rowCount)} from numbers`.execute(
      store.db,
    );
  }
  const bucket = sql`created_at / ${number(rollupBucketMs)} * ${number(rollupBucketMs)}`;
  for (let model = 0; model < modelCount; model += 1) {
    await sql`insert into usage_rollups (key_id, model_id, bucket_started_at, account_id, input_tokens,
        cached_tokens, output_tokens, cost_nano_usd, requests_succeeded, requests_failed, requests_charged)
      select key_id, model_id, ${bucket}, account_id, sum(input_tokens), sum(cached_tokens), sum(output_tokens),
        sum(cost_nano_usd), sum(case when status = 'succeeded' then 1 else 0 end),
        sum(case when status = 'failed' then 1 else 0 end), sum(case when cost_nano_usd > 0 then 1 else 0 end)
      from usage_requests where model_id = ${sql.lit(`acme/model-${model}`)}
      group by key_id, model_id, account_id, ${bucket}`.execute(store.db);
  }
  await sql`analyze`.execute(store.db);
}
