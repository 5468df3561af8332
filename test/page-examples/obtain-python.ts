/** A Python with `requests`, which the page's own example needs. Installed once into the repository's `.cache`. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const runFile = promisify(execFile);

const packagesFolder = fileURLToPath(new URL('../../.cache/python-packages/', import.meta.url));
const requirement = 'requests==2.34.2';

export interface Python {
  readonly command: string;
  /** To be added to the environment, so that the packages are found. */
  readonly environment: { readonly PYTHONPATH: string };
}

/** Throws with pip's own words when Python 3 or pip is missing, or the package cannot be had. */
export async function obtainPython(): Promise<Python> {
  if (!existsSync(path.join(packagesFolder, 'requests'))) {
    // `--target` instead of a virtual environment: Debian's Python has no venv module without another package.
    const arguments_ = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target'];
    await runFile('python3', [...arguments_, packagesFolder, requirement]);
  }
  return { command: 'python3', environment: { PYTHONPATH: packagesFolder } };
}
