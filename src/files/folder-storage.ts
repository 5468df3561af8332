import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCodeOf } from '../error-code.ts';
import { makeFolder } from '../store/make-folder.ts';
import { type FileStorage, StorageError, type StoredObject } from './file-storage.ts';

/** Files in a folder: several replicas may share it. `folder` must be on the disk of the temporary files. */
export function createFolderStorage(folder: string): FileStorage {
  const pathOf = (key: string): string => path.join(folder, ...key.split('/'));
  return {
    async put(key, temporaryPath) {
      const target = pathOf(key);
      const parent = path.dirname(target);
      makeFolder(parent);
      // Bytes first, then the name: a power cut leaves the whole file or none.
      await sync(temporaryPath);
      await rename(temporaryPath, target);
      await sync(parent);
    },
    async read(key) {
      const file = await open(pathOf(key)).catch((cause: unknown) => {
        throw new StorageError(`${key} cannot be opened`, { cause });
      });
      return file.createReadStream();
    },
    remove: async (key) => await rm(pathOf(key), { force: true }),
    async *list() {
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(
        emptyIfMissing,
      )) {
        if (!entry.isFile()) continue;
        const file = path.join(entry.parentPath, entry.name);
        const facts = await stat(file).catch(emptyIfMissing);
        // Deleted in the meantime.
        if (Array.isArray(facts)) continue;
        const key = path.relative(folder, file).split(path.sep).join('/');
        yield { key, storedAt: facts.mtimeMs } satisfies StoredObject;
      }
    },
    close: async () => undefined,
  };
}

async function sync(place: string): Promise<void> {
  const handle = await open(place);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function emptyIfMissing(error: unknown): never[] {
  if (errorCodeOf(error) === 'ENOENT') return [];
  throw error;
}
