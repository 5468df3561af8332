/**
 * Ten minutes of requests over more beginnings than memory and disk have room for: neither budget may be exceeded.
 * `npm run bench -- caching-soak [minutes]`; throws when one is.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObtainedModel } from '../../src/models/obtain-model.ts';
import { createFreshPrompt } from '../engine/prompts.ts';
import { type PrefixHost, startPrefixHost } from './prefix-host.ts';

const kvCells = 4_096;
const diskBytesMax = 120_000_000;
const workers = 4;
const prefixCount = 24;
/** Beside the key-value cache the process needs room for batches and buffers, which all exist after a minute. */
const growthBytesMax = 150_000_000;

export async function runCachingSoak(
  model: ObtainedModel,
  minutes: number,
  report: (line: string) => void,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-caching-soak-'));
  const host = await startPrefixHost({
    modelPath: model.path,
    modelDigest: model.sha256,
    threads: 2,
    kvCells,
    contextTokens: 2_048,
    kept: { folder, bytesMax: diskBytesMax },
  });
  try {
    await soak({ host, folder }, minutes, report);
  } finally {
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Soaked {
  readonly host: PrefixHost;
  readonly folder: string;
}

async function soak(
  { host, folder }: Soaked,
  minutes: number,
  report: (line: string) => void,
): Promise<void> {
  const prefixes = Array.from({ length: prefixCount }, (_, index) => createFreshPrompt(260 + 50 * index));
  const endsAt = Date.now() + minutes * 60_000;
  let requests = 0;
  const work = async (): Promise<void> => {
    while (Date.now() < endsAt) {
      const prefix = prefixes[Math.floor(Math.random() * prefixes.length)] ?? '';
      await host.ask(`${prefix} ${createFreshPrompt(10)}`, 4);
      requests += 1;
    }
  };
  const running = Promise.all(Array.from({ length: workers }, work));
  const peaks = { cells: 0, diskBytes: 0, residentBytes: 0 };
  let warmBytes = 0;
  while (Date.now() < endsAt) {
    await sleep(1_000);
    const stats = await host.stats();
    peaks.cells = Math.max(peaks.cells, stats.kvCellsUsed);
    peaks.diskBytes = Math.max(peaks.diskBytes, bytesIn(folder));
    peaks.residentBytes = Math.max(peaks.residentBytes, stats.residentBytes);
    if (Date.now() < endsAt - (minutes * 60_000 * 9) / 10) warmBytes = peaks.residentBytes;
  }
  await running;
  const stats = await host.stats();
  const line = `${requests} requests, ${stats.restoredTokensTotal} tokens read back, peaks: ${peaks.cells} of ${kvCells} cells, ${peaks.diskBytes} of ${diskBytesMax} bytes on disk, ${peaks.residentBytes} bytes resident`;
  report(`caching soak: ${line}`);
  // The headers lie beside the states and are small.
  const isWithin = peaks.cells <= kvCells && peaks.diskBytes <= diskBytesMax * 1.02;
  if (!isWithin || peaks.residentBytes > warmBytes + growthBytesMax)
    throw new Error(`a budget was exceeded: ${line}`);
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => {
    // A file may be renamed or removed between the two looks.
    return sum + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}
