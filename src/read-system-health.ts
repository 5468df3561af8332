/** The machine and the process, as an administrator sees them. */
import { statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import type { SystemHealth } from './http/http-dependencies.ts';
import { measureStore } from './store/measure-store.ts';
import type { Store } from './store/store.ts';

export interface SystemHealthOptions {
  readonly dataDir: string;
  /** Told when the size of the database cannot be had: who asks for health wants to see the rest of it. */
  readonly onUnmeasured: (error: unknown) => void;
}

/** Rejects only when the disk of the data folder cannot be asked. */
export async function readSystemHealth(
  store: Store,
  { dataDir, onUnmeasured }: SystemHealthOptions,
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
      sizeBytes: await measureStore(store, dataDir).catch((error: unknown) => {
        onUnmeasured(error);
        return null;
      }),
    },
  };
}
