/**
 * vitest's global set-up: one PostgreSQL and one Redis for the whole run. Tests get the addresses by
 * `inject('postgresUrl')` and `inject('redisUrl')`. Set `PERIGEE_TEST_POSTGRES_URL` or `PERIGEE_TEST_REDIS_URL`
 * to use servers that run already.
 */
import type { TestProject } from 'vitest/node';
import type { Service } from './service.ts';
import { startPostgres } from './start-postgres.ts';
import { startRedis } from './start-redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    redisUrl: string;
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
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((service) => service.stop()));
  };
  try {
    // One after the other: both may have to call apt-get, which takes a lock.
    project.provide('postgresUrl', await use(process.env.PERIGEE_TEST_POSTGRES_URL, startPostgres));
    project.provide('redisUrl', await use(process.env.PERIGEE_TEST_REDIS_URL, () => startRedis()));
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return stop;
}
