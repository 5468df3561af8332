/** OpenAI's Python client, which the documentation's examples use. Installed once into the repository's `.cache`. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const packagesFolder = fileURLToPath(new URL('../../.cache/python-openai/', import.meta.url));
const requirement = 'openai==2.8.1';

/** The value for `PYTHONPATH`. Throws with pip's own words when it cannot be had. */
export async function obtainPythonClient(): Promise<string> {
  if (!existsSync(path.join(packagesFolder, 'openai'))) {
    // `--target` instead of a virtual environment: Debian's Python has no venv module without another package.
    const arguments_ = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target'];
    await promisify(execFile)('python3', [...arguments_, packagesFolder, requirement]);
  }
  return packagesFolder;
}
