/** `npm test`: everything that CI checks, in the order of what fails fastest; vitest's summary comes last. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { checkNodeVersion, printHeading, repositoryRoot, runTool } from './run-step.ts';

/** Read by `.ci/run` after the run. */
const resultFile = path.join(repositoryRoot, '.cache', 'vitest.json');

/** Biome colours a log file too when nobody forbids it. */
const colours = process.stdout.isTTY === true ? '--colors=force' : '--colors=off';

const steps = [
  {
    name: 'Format and lint (Biome)',
    tool: 'biome',
    arguments: ['ci', '--error-on-warnings', '--diagnostic-level=warn', colours, '.'],
  },
  { name: 'Promises (oxlint, typed)', tool: 'oxlint', arguments: ['--type-aware'] },
  { name: 'Types (tsc)', tool: 'tsc', arguments: ['-p', '.'] },
  { name: 'Types of the web app (tsc)', tool: 'tsc', arguments: ['-p', 'web'] },
  { name: 'Unused code and dependencies (knip)', tool: 'knip', arguments: [] },
  { name: 'Web app (Vite)', tool: 'node', arguments: ['scripts/build-web.ts'] },
  {
    name: 'Tests (vitest)',
    tool: 'vitest',
    arguments: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`],
  },
];

async function runAll(): Promise<number> {
  printHeading(`Node.js ${process.versions.node}`);
  if (!checkNodeVersion()) return 1;
  await mkdir(path.dirname(resultFile), { recursive: true });
  await rm(resultFile, { force: true });
  for (const step of steps) {
    printHeading(step.name);
    const exitCode = await runTool(step.tool, step.arguments);
    if (exitCode === 0) continue;
    process.stderr.write(`\n${step.name}: failed with exit code ${exitCode}.\n`);
    return exitCode;
  }
  return 0;
}

process.exitCode = await runAll();
