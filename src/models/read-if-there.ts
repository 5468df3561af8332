import { readFile } from 'node:fs/promises';
import { errorCodeOf } from '../error-code.ts';

/** The text of a file. Undefined when there is no such file; throws what else the operating system says. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
