import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const dist = path.resolve(import.meta.dirname, '../dist');
const firstLoadBytesMax = 150_000;

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
}

const manifest = JSON.parse(readFileSync(path.join(dist, '.vite/manifest.json'), 'utf8')) as Readonly<
  Record<string, Chunk>
>; // Written by Vite.

/** A chunk and everything that must be loaded before it runs. */
function filesOf(name: string, seen = new Set<string>()): ReadonlySet<string> {
  const chunk = manifest[name];
  if (chunk === undefined) throw new Error(`the build has no ${name}`);
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const imported of chunk.imports ?? []) filesOf(imported, seen);
  return seen;
}

const sizeOf = (file: string): number => gzipSync(readFileSync(path.join(dist, file)), { level: 9 }).length;

describe('the first load', () => {
  it.each([
    'src/routes/session/sign-in-page.tsx',
    'src/routes/playground/playground-page.tsx',
    'src/routes/dashboard/overview-page.tsx',
    'src/routes/docs/quickstart-page.tsx',
  ])('of the app and %s is at most 150 kB of compressed script', (page) => {
    const files = [...filesOf('index.html'), ...filesOf(page, new Set(filesOf('index.html')))];
    const total = [...new Set(files)].reduce((sum, file) => sum + sizeOf(file), 0);
    expect(total).toBeGreaterThan(50_000);
    expect(total).toBeLessThanOrEqual(firstLoadBytesMax);
  });

  it('has none of the heavy parts', () => {
    const files = [...filesOf('index.html')].join(' ');
    expect(files).not.toMatch(/rendered-markdown|highlight|standalone|series|katex|math/i);
  });
});
