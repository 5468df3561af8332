/**
 * The store benchmark: turns per second through the ledger on one hot account (a hold, then its settlement, durable),
 * and rate-limit checks per second in each place where they can be counted. Real PostgreSQL and Redis of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { seedBootstrap } from '../../src/accounts/seed-bootstrap.ts';
import { openLedgerMeter } from '../../src/billing/ledger-meter.ts';
import type { Caller } from '../../src/chat/types.ts';
import { createKey } from '../../src/keys/api-keys.ts';
import { createKeyDirectory } from '../../src/keys/key-directory.ts';
import type { LimitCounters, LimitMeter } from '../../src/limits/limit-counters.ts';
import { createMemoryCounters } from '../../src/limits/memory-counters.ts';
import { createPostgresCounters } from '../../src/limits/postgres-counters.ts';
import { openRedisCounters } from '../../src/limits/redis-counters.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { startPostgres } from '../../test/services/start-postgres.ts';
import { startRedis } from '../../test/services/start-redis.ts';
import { median } from '../statistics.ts';

export interface StoreFigures {
  readonly name: string;
  readonly perSecond: number;
  /** Of this process, all threads; the database's own work comes on top. */
  readonly cpuMicroseconds: number;
}

export interface StoreReport {
  readonly turns: readonly StoreFigures[];
  readonly checks: readonly StoreFigures[];
}

const rounds = 3;
const turnCount = 1_000;
const checkCount = 2_000;
const parallelCount = 32;
const modelId = 'moonshot/kimi-k2-turbo-preview';

type Work = (index: number) => Promise<unknown>;

/** `report` is told what is measured. Rounds are interleaved, so that noise on the machine hits all alike. */
export async function runStoreBench(report: (line: string) => void): Promise<StoreReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-bench-'));
  const postgres = await startPostgres();
  const redis = await startRedis();
  const stores = {
    SQLite: await openStore({ dataDir: folder, databaseUrl: undefined, purpose: 'server' }),
    PostgreSQL: await openStore({ dataDir: folder, databaseUrl: postgres.url }),
  };
  const counters = {
    memory: createMemoryCounters(),
    PostgreSQL: createPostgresCounters(stores.PostgreSQL),
    Redis: openRedisCounters({ url: redis.url, keyPrefix: 'bench:' }),
  };
  try {
    while (!(await counters.Redis.isAnswering())) await new Promise((resolve) => setTimeout(resolve, 20));
    const turns: Record<string, Work> = {};
    for (const [name, store] of Object.entries(stores)) turns[name] = await prepareTurns(store);
    turns['PostgreSQL, statement by statement'] = await prepareTurns(withoutMerging(stores.PostgreSQL));
    const checks = Object.fromEntries(
      Object.entries(counters).map(([name, each]) => [name, prepareChecks(each)] as const),
    );
    return {
      turns: await measureAll(turns, turnCount, (name) => report(`turns on ${name}`)),
      checks: await measureAll(checks, checkCount, (name) => report(`rate-limit checks in ${name}`)),
    };
  } finally {
    await counters.Redis.close();
    await Promise.all(Object.values(stores).map((store) => store.close()));
    await Promise.all([postgres.stop(), redis.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureAll(
  works: Readonly<Record<string, Work>>,
  count: number,
  onMeasure: (name: string) => void,
): Promise<StoreFigures[]> {
  const samples = new Map<string, { perSecond: number[]; cpuMicroseconds: number[] }>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, work] of Object.entries(works)) {
      onMeasure(name);
      const cpuBefore = process.cpuUsage();
      const startedAt = performance.now();
      await runParallel(work, round * count, count);
      const seconds = (performance.now() - startedAt) / 1000;
      const { user, system } = process.cpuUsage(cpuBefore);
      const sample = samples.get(name) ?? { perSecond: [], cpuMicroseconds: [] };
      sample.perSecond.push(count / seconds);
      sample.cpuMicroseconds.push((user + system) / count);
      samples.set(name, sample);
    }
  }
  return [...samples].map(([name, { perSecond, cpuMicroseconds }]) => ({
    name,
    perSecond: median(perSecond),
    cpuMicroseconds: median(cpuMicroseconds),
  }));
}

async function runParallel(work: Work, first: number, count: number): Promise<void> {
  let next = first;
  const run = async (): Promise<void> => {
    for (let index = next++; index < first + count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: parallelCount }, run));
}

/** What a turn costs when its groups are not run as one statement each. */
function withoutMerging(store: Store): Store {
  return {
    kind: store.kind,
    db: store.db,
    commit: (group, options) => store.commit(group, { ...options, isIndependent: false }),
    close: () => store.close(),
  };
}

async function prepareTurns(store: Store): Promise<Work> {
  await seedBootstrap(store, { creditUsd: '1000' });
  const account = await store.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow();
  const { secret } = await createKey(store, { accountId: account.id });
  const caller: Caller = await createKeyDirectory(store).authenticate(secret);
  const meter = await openLedgerMeter(store);
  return async (index) => {
    const hold = await meter.open({
      caller,
      inferenceId: `bench-${caller.keyId}-${index}`,
      clientRequestId: undefined,
      modelId,
      promptTokens: 100,
      outputTokensMax: 100,
      choiceCount: 1,
    });
    await hold.settle({
      usage: { promptTokens: 100, cachedTokens: 0, completionTokens: 50, source: 'engine' },
      status: 'succeeded',
      timeToFirstTokenMs: 1,
      durationMs: 2,
    });
  };
}

/** As a limited key costs it: requests and concurrency of key and account, then the place given back. */
function prepareChecks(counters: LimitCounters): Work {
  const meters = ['a1', 'k1'].flatMap((owner): LimitMeter[] => [
    { name: `${owner}:requests`, kind: 'minute', limit: 1_000_000_000, amount: 1 },
    { name: `${owner}:concurrency`, kind: 'lease', limit: 1_000_000_000, amount: 1 },
  ]);
  const changes = meters
    .filter(({ kind }) => kind === 'lease')
    .map(({ name, kind }) => ({ name, kind, change: 0 }));
  return async (index) => {
    const turnId = `turn-${index}`;
    const answer = await counters.take({ accountId: 1, turnId, meters });
    if (answer.type !== 'taken') throw new Error(`the counters answered ${answer.type}`);
    await counters.correct({ accountId: 1, turnId, receipt: answer.receipt, changes });
  };
}
