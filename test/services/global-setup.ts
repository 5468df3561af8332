/**
 * vitest's global set-up: one PostgreSQL, one Redis and one migrated SQLite file for the whole run. Tests get the addresses
 * by `inject('postgresUrl')`, `inject('redisUrl')` and `inject('migratedSqliteFile')`. Set `PERIGEE_TEST_POSTGRES_URL` (of
 * a superuser) or `PERIGEE_TEST_REDIS_URL` to use servers that run already.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { openStore } from '../../src/store/open-store.ts';
import type { Service } from './service.ts';
import { startPostgres } from './start-postgres.ts';
import { startRedis } from './start-redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    redisUrl: string;
    /** Tests copy it; nobody opens it. */
    migratedSqliteFile: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started: Service[] = [];
  const use = async (given: string | undefined, start: () => Promise<Service>): Promise<string> => {
    if (given !== undefined) {
      return given;
    }
    const service = await start();
    started.push(service);
    return service.url;
  };
  const sqliteFolder = mkdtempSync(path.join(tmpdir(), 'perigee-sqlite-'));
  const stop = async (): Promise<void> => {
    rmSync(sqliteFolder, { recursive: true, force: true });
    await Promise.all(started.map((service) => service.stop()));
  };
  try {
    // One after the other: both may have to call apt-get, which takes a lock.
    project.provide('postgresUrl', await use(process.env.PERIGEE_TEST_POSTGRES_URL, startPostgres));
    project.provide('redisUrl', await use(process.env.PERIGEE_TEST_REDIS_URL, () => startRedis()));
    await (await openStore({ dataDir: sqliteFolder, databaseUrl: undefined })).close();
    project.provide('migratedSqliteFile', path.join(sqliteFolder, 'perigee.db'));
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return stop;
}
