/** The machine and the process, as an administrator sees them. */
import { statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import type { SystemHealth } from './http/http-dependencies.ts';
import { measureStore } from './store/measure-store.ts';
import type { Store } from './store/store.ts';

/** Never rejects for the size of the database: who asks for health wants to see the rest of it. */
export async function readSystemHealth(
  store: Store,
  { dataDir }: { readonly dataDir: string },
): Promise<Omit<SystemHealth, 'jobs'>> {
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
