/** The machine and the process, as an administrator sees them. */
import { stat, statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import type { SystemHealth } from './http/http-dependencies.ts';
import type { Store } from './store/store.ts';

/** Never rejects for the size of the database: who asks for health wants to see the rest of it. */
export async function readSystemHealth(
  store: Store,
  { dataDir }: { readonly dataDir: string },
): Promise<SystemHealth> {
  const { rss, heapUsed } = process.memoryUsage();
  const disk = await statfs(dataDir);
  return {
    nodeVersion: process.version,
    startedAt: Math.round(Date.now() - process.uptime() * 1_000),
    memory: {
      residentBytes: rss,
      heapBytes: heapUsed,
      machineTotalBytes: totalmem(),
      machineFreeBytes: freemem(),
    },
    disk: { totalBytes: disk.blocks * disk.bsize, freeBytes: disk.bavail * disk.bsize },
    store: {
      kind: store.kind,
      sizeBytes: await measureStore(store, dataDir).catch(() => null),
    },
  };
}

async function measureStore(store: Store, dataDir: string): Promise<number> {
  if (store.kind === 'sqlite') return (await stat(path.join(dataDir, 'perigee.db'))).size;
  const { rows } = await sql<{ size: number }>`select pg_database_size(current_database()) as size`.execute(
    store.db,
  );
  return rows[0]?.size ?? 0;
}
