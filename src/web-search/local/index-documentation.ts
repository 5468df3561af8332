import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { folderDefaults, indexFolder } from './index-folder.ts';
import type { IndexCounts, IndexParts } from './index-run.ts';

/** The name of the source that ships with this software. */
export const documentationSource = 'perigee';

/**
 * Brings Perigee's own pages (README.md and docs/) into the index, so that a first search finds something. Cheap when nothing has
 * changed; a new version's pages replace the old ones. Undefined when the installation has no such folder.
 */
export async function indexDocumentation(
  parts: Omit<IndexParts, 'onProgress'>,
): Promise<IndexCounts | undefined> {
  const folder = fileURLToPath(new URL('../../../docs/', import.meta.url));
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  return await indexFolder(
    folder,
    {
      ...folderDefaults,
      sourceName: documentationSource,
      // Decision records say why something was built so, and quote what was tried: they outrank the pages that say what it does.
      leftOutFolders: ['decisions'],
      furtherFiles: [fileURLToPath(new URL('../../../README.md', import.meta.url))],
    },
    { ...parts, onProgress: () => undefined },
  );
}
