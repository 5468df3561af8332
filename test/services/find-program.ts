import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';

/** The first of these programs that can be run: in the given folders, then in PATH; undefined when there is none. */
export function findProgram(names: readonly string[], folders: readonly string[] = []): string | undefined {
  const places = [...folders, ...(process.env.PATH ?? '').split(path.delimiter)];
  return names
    .flatMap((name) => places.map((place) => path.join(place, name)))
    .find((candidate) => isExecutable(candidate));
}

/** `/usr/lib/postgresql/<version>/bin`, newest first: Debian keeps its servers out of PATH. */
export function postgresFolders(): readonly string[] {
  const root = '/usr/lib/postgresql';
  try {
    return readdirSync(root)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => path.join(root, version, 'bin'));
  } catch {
    // Not Debian, or not installed: PATH decides.
    return [];
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
