import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { beginIndexRun, type IndexCounts, type IndexParts } from './index-run.ts';

export interface FolderOptions {
  /** How many levels of folders below the first. */
  readonly depthMax: number;
  readonly filesMax: number;
  /**
   * What citations of these documents begin with, when the folder is also a web site; the path inside the folder follows.
   */
  readonly baseUrl?: string;
  /** Folders, by name, that are left out besides hidden ones and dependencies. */
  readonly leftOutFolders?: readonly string[];
  /** Further files, as if they lay in the folder. */
  readonly furtherFiles?: readonly string[];
  /** Names the source where it is not the folder itself, and so its documents. */
  readonly sourceName?: string;
}

export const folderDefaults = { depthMax: 20, filesMax: 50_000 } as const;

const extensions = new Set(
  '.md .markdown .html .htm .xhtml .txt .text .rst .adoc .pdf .docx .xlsx .pptx .epub .csv'.split(' '),
);
/** Dependencies are other people's documents. */
const skippedFolders = new Set(['node_modules', '__pycache__', 'vendor']);
const fileBytesMax = 50_000_000;

/**
 * Brings a folder's documents into the index: new and changed files are read, others kept, those that are gone removed.
 * Hidden files and links to other places are left out. Throws the file system's errors for the folder itself.
 */
export async function indexFolder(
  folder: string,
  options: FolderOptions,
  parts: IndexParts,
): Promise<IndexCounts> {
  const root = await realpath(folder);
  const source = options.sourceName ?? root;
  const run = await beginIndexRun(source, parts);
  const files = [
    ...(options.furtherFiles ?? []).map((file) => ({ file, inner: path.basename(file) })),
    ...(await listFiles(root, options)).map((file) => ({ file, inner: path.relative(root, file) })),
  ];
  run.setTotal(files.length);
  const baseUrl =
    options.baseUrl ?? `local://${encodeURIComponent(options.sourceName ?? path.basename(root))}`;
  for (const { file, inner } of files) {
    parts.signal.throwIfAborted();
    const url = `${baseUrl.replace(/\/$/, '')}/${inner.split(path.sep).map(encodeURIComponent).join('/')}`;
    try {
      const { size, mtimeMs } = await stat(file);
      const fingerprint = `${size}:${mtimeMs}`;
      if (run.known.get(url)?.fingerprint === fingerprint) run.keep(url);
      else if (size > fileBytesMax) run.skip(url, `It is larger than ${fileBytesMax} bytes.`);
      else {
        const bytes = new Uint8Array(await readFile(file));
        const name = path.basename(file);
        await run.add({ url, fingerprint, bytes, labels: { name }, fallbackTitle: name });
      }
    } catch (error) {
      if (!isFileError(error)) throw error;
      run.skip(url, `It cannot be read (${error.code}).`);
    }
  }
  return await run.finish();
}

async function listFiles(
  root: string,
  { depthMax, filesMax, leftOutFolders = [] }: FolderOptions,
): Promise<readonly string[]> {
  const files: string[] = [];
  const leftOut = new Set([...skippedFolders, ...leftOutFolders]);
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || files.length >= filesMax) continue;
      const place = path.join(folder, entry.name);
      // A link is neither: what lies elsewhere is not this folder's.
      if (entry.isDirectory() && depth < depthMax && !leftOut.has(entry.name)) await visit(place, depth + 1);
      else if (entry.isFile() && extensions.has(path.extname(entry.name).toLowerCase())) files.push(place);
    }
  };
  await visit(root, 0);
  return files;
}

const isFileError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code));
