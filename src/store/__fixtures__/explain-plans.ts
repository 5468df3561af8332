import { CompiledQuery, type RootOperationNode } from 'kysely';
import type { Store } from '../store.ts';

/** How SQLite finds the rows of the queries that `read` makes: the lines of their plans, such as `SCAN accounts`. */
export async function explainPlans(
  store: Store,
  read: (store: Store) => Promise<unknown>,
): Promise<readonly string[]> {
  const nodes: RootOperationNode[] = [];
  const db = store.db.withPlugin({
    transformQuery: ({ node }) => {
      nodes.push(node);
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  await read({
    kind: store.kind,
    db,
    commit: async (group, options) => await store.commit(group, options),
    close: async () => await store.close(),
  });
  const plans = nodes.map(async (node) => {
    const { sql, parameters } = store.db.getExecutor().compileQuery(node, { queryId: 'explained' });
    const query = CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]);
    const { rows } = await store.db.executeQuery<{ detail: string }>(query);
    return rows.map(({ detail }) => detail);
  });
  return (await Promise.all(plans)).flat();
}
