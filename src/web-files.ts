/**
 * The built web app (`web/dist`) as a table: what may be sent is known before the first request, so no request can name
 * any other file. Contents stay on disk; an answer streams the variant that its client can read.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCodeOf } from './error-code.ts';

export interface WebFile {
  /** Absolute path. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  /** Names the content, with quotes. */
  readonly etag: string;
  /** Its name holds a hash of its content: it can be kept for ever. */
  readonly isImmutable: boolean;
  /** Compressed copies that the build made, best first. */
  readonly encodings: readonly {
    readonly name: 'br' | 'gzip';
    readonly file: string;
    readonly sizeBytes: number;
  }[];
  /** `sha256-…` of each inline script, for the Content-Security-Policy; of HTML files only. */
  readonly scriptHashes: readonly string[];
}

/** By path below `/app/`, such as `assets/index-B1x9.js`; `index.html` is the page. Empty when `web/` was not built. */
export type WebFiles = ReadonlyMap<string, WebFile>;

/** The same folder from `src/` in a clone and from `dist/` in the package. */
export const webFolderDefault = fileURLToPath(new URL('../web/dist', import.meta.url));

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
};

/** Vite puts what it names by content into this folder, and nothing else. */
const isHashed = (name: string): boolean => name.startsWith('assets/');

/** Reads the table. A folder that does not exist is an empty one: the API needs no web app. */
export async function readWebFiles(folder: string): Promise<WebFiles> {
  const names = await listNames(folder);
  const served = names.filter((name) => contentTypes[path.extname(name)] !== undefined);
  const entries = await Promise.all(
    served.map(async (name) => [name, await describeFile(folder, name, names)] as const),
  );
  return new Map(entries);
}

async function listNames(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'),
      )
      .filter((name) => !name.split('/').some((part) => part.startsWith('.')));
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function describeFile(folder: string, name: string, names: readonly string[]): Promise<WebFile> {
  const file = path.join(folder, name);
  const content = await readFile(file);
  const encodings = [];
  for (const [encoding, suffix] of [['br', '.br'] as const, ['gzip', '.gz'] as const]) {
    if (!names.includes(name + suffix)) continue;
    encodings.push({ name: encoding, file: file + suffix, sizeBytes: (await stat(file + suffix)).size });
  }
  return {
    file,
    sizeBytes: content.length,
    contentType: contentTypes[path.extname(name)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`,
    isImmutable: isHashed(name),
    encodings,
    scriptHashes: name.endsWith('.html') ? hashInlineScripts(content.toString('utf8')) : [],
  };
}

function hashInlineScripts(html: string): readonly string[] {
  return [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, script = '']) => `sha256-${createHash('sha256').update(script).digest('base64')}`,
  );
}
