/** Installs the yardsticks of this folder, as its lockfile names them, unless they are there already. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const folder = import.meta.dirname;

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const readManifest = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8'));

const wanted = readManifest(path.join(folder, 'package.json')).dependencies ?? {};

function isInstalled([name, version]: [string, string]): boolean {
  const file = path.join(folder, 'node_modules', name, 'package.json');
  return existsSync(file) && readManifest(file).version === version;
}

/** The yardsticks with their versions, e.g. `@portkey-ai/gateway 1.15.2`. */
export const peerVersions: readonly string[] = Object.entries(wanted).map(
  ([name, version]) => `${name} ${version}`,
);

/**
 * node-llama-cpp finds libllama in the repository's own node_modules, where the embedded engine finds it too; its
 * optional packages would add 700 MB of GPU builds. Portkey's HTTP adapter is held at 1.13.8 (`overrides`): with the
 * newest one that its range allows, every stream ends in "Something went wrong". Throws when npm fails.
 */
export function installPeers(): void {
  if (Object.entries(wanted).every(isInstalled)) return;
  const { status, error } = spawnSync('npm', ['ci', '--omit=optional'], { cwd: folder, stdio: 'inherit' });
  if (error) throw new Error('npm could not be started', { cause: error });
  if (status !== 0) throw new Error(`npm ci in bench/peers ended with status ${status}`);
}
