/** What `GET /ready` says: whether a chat completion could be answered now, and if not, what to do. */
import type { ModelDirectory } from './engines/registry.ts';
import type { Readiness } from './http/http-dependencies.ts';
import { isStoreAnswering } from './store/is-store-answering.ts';
import type { Store } from './store/store.ts';

type Check = Readiness['checks'][number];

/** A load balancer asks every few seconds; a database that takes longer than this answers nobody else either. */
const storeAnswerMs = 2_000;

/** Asks every engine and the database. Never rejects. */
export async function checkReadiness(models: ModelDirectory, store: Pick<Store, 'db'>): Promise<Readiness> {
  const checks = [...models.list().map(checkModel), await checkStore(store)];
  return { isReady: checks.every(({ state }) => state === 'ready'), checks };
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
