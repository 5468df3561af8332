import type { Store } from '../../store/store.ts';

/** The same store for somebody whose writes are late: each comes after `earlier`. */
export const writeAfter = (store: Store, earlier: () => Promise<unknown>): Store => ({
  kind: store.kind,
  db: store.db,
  commit: async (group, options) => {
    await earlier();
    return await store.commit(group, options);
  },
  close: async () => await store.close(),
});
