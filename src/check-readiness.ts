/** What `GET /ready` says: whether a chat completion could be answered now, and if not, what to do. */
import type { Limits } from './build-limits.ts';
import type { ModelDirectory } from './engines/registry.ts';
import type { Readiness } from './http/http-dependencies.ts';
import { isStoreAnswering } from './store/is-store-answering.ts';
import type { Store } from './store/store.ts';

type Check = Readiness['checks'][number];

/** A load balancer asks every few seconds; a database that takes longer than this answers nobody else either. */
const storeAnswerMs = 2_000;

/** Asks every engine and the database. Never rejects. */
export async function checkReadiness(
  models: ModelDirectory,
  store: Pick<Store, 'db'>,
  limits: Pick<Limits, 'isRedisUsed'>,
): Promise<Readiness> {
  const needed = [...models.list().map(checkModel), await checkStore(store)];
  return {
    isReady: needed.every(({ state }) => state === 'ready'),
    checks: [...needed, ...checkRedis(limits.isRedisUsed())],
  };
}

/** Shown only: without its Redis a server answers all the same. Undefined = none is configured. */
function checkRedis(isUsed: boolean | undefined): readonly Check[] {
  if (isUsed === undefined) return [];
  return isUsed
    ? [{ name: 'redis', state: 'ready', detail: '' }]
    : [
        {
          name: 'redis',
          state: 'degraded',
          detail: 'Redis does not answer; rate limits are counted without it.',
        },
      ];
}

function checkModel({ id, engine }: ReturnType<ModelDirectory['list']>[number]): Check {
  const health = engine.health();
  const detail = health.state === 'ready' ? '' : health.detail;
  return { name: `model ${id}`, state: health.state, detail };
}

/** The reason is left out: everybody may read `/ready`, and a driver's text can name hosts and users. */
async function checkStore(store: Pick<Store, 'db'>): Promise<Check> {
  return (await isStoreAnswering(store, storeAnswerMs))
    ? { name: 'store', state: 'ready', detail: '' }
    : {
        name: 'store',
        state: 'failed',
        detail: 'The database does not answer. Check that it runs; `perigee doctor` says why.',
      };
}
