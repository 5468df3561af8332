/** Builds `web/` when its sources have changed since the last time; `npm start`, `npm test` and `npm run build` call it. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { repositoryRoot } from './run-step.ts';

const webFolder = path.join(repositoryRoot, 'web');
export const webDistFolder = path.join(webFolder, 'dist');
const stampFile = path.join(webDistFolder, '.inputs');

/** Text is sent compressed; fonts and pictures are compressed already. */
const compressible = /\.(js|css|html|svg|json|txt)$/;
const compressedBytesMin = 1_024;
/** Brotli's last two levels take a minute for what is larger than this, and win a few percent. */
const thoroughBytesMax = 600_000;

/** Files that are not in `web/` and still decide what is built: every library's version, and a page that is a document. */
const furtherInputs = ['package-lock.json', 'docs/errors.md'];

async function listFiles(folder: string, skipped: readonly string[] = []): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !skipped.some((each) => file.startsWith(each + path.sep)))
    .toSorted();
}

async function hashInputs(): Promise<string> {
  const hash = createHash('sha256');
  const files = await listFiles(webFolder, [webDistFolder]);
  for (const file of [...files, ...furtherInputs.map((name) => path.join(repositoryRoot, name))]) {
    hash.update(path.relative(repositoryRoot, file)).update('\0');
    hash.update(await readFile(file)).update('\0');
  }
  return hash.digest('hex');
}

/** Writes `x.js.br` and `x.js.gz` beside `x.js`: compressed once here, not once per visitor. */
async function compressFiles(folder: string): Promise<void> {
  for (const file of await listFiles(folder)) {
    const bytes = compressible.test(file) ? await readFile(file) : Buffer.alloc(0);
    if (bytes.length < compressedBytesMin) continue;
    const params = { [constants.BROTLI_PARAM_QUALITY]: bytes.length > thoroughBytesMax ? 9 : 11 };
    await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes, { params }));
    await writeFile(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }));
  }
}

/** Whether `web/dist` was built from other sources than these, or not at all. */
export async function isWebStale(): Promise<boolean> {
  return !existsSync(stampFile) || (await readFile(stampFile, 'utf8')) !== (await hashInputs());
}

/**
 * Leaves an up-to-date `web/dist`. Throws Vite's error when the sources cannot be built; what was there before stays.
 * Vite stays in the process and hooks into its modules: a server builds in a process of
 * its own (`node scripts/build-web.ts`).
 */
export async function buildWebWhenStale(): Promise<void> {
  if (!(await isWebStale())) return;
  const inputs = await hashInputs();
  // Loaded here and not above: an up-to-date folder needs no development dependency.
  const { build } = await import('vite');
  // Built elsewhere and put in place whole: a server or a second build never sees half of it.
  const workFolder = path.join(repositoryRoot, '.cache', `web-${process.pid}`);
  try {
    await build({
      configFile: path.join(webFolder, 'vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: workFolder, emptyOutDir: true },
    });
    await compressFiles(workFolder);
    await writeFile(path.join(workFolder, path.basename(stampFile)), inputs);
    await rm(webDistFolder, { recursive: true, force: true });
    await rename(workFolder, webDistFolder);
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

if (import.meta.main) await buildWebWhenStale();
