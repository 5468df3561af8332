import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errorCodeOf } from '../error-code.ts';

/**
 * Makes a folder that only its owner may read, with every missing folder above it; does nothing when it is there.
 * Node's own `recursive` never returns where a file system has the parent but refuses the child with ENOENT, as
 * /proc does. Throws what the operating system says.
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (thrown) {
    const code = errorCodeOf(thrown);
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return;
    const parent = path.dirname(folder);
    if (code !== 'ENOENT' || parent === folder || statSync(parent, { throwIfNoEntry: false }) !== undefined) {
      throw thrown;
    }
    makeFolder(parent);
    mkdirSync(folder, { mode: 0o700 });
  }
}
