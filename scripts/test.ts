/** `npm test`: everything that CI checks, the checks side by side, then the tests; vitest's summary comes last. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { checkNodeVersion, printHeading, repositoryRoot, runTool, runToolAside } from './run-step.ts';

/** Read by `.ci/run` after the run. */
const resultFile = path.join(repositoryRoot, '.cache', 'vitest.json');

/** Biome colours a log file too when nobody forbids it. */
const colours = process.stdout.isTTY === true ? '--colors=force' : '--colors=off';

interface Step {
  readonly name: string;
  readonly tool: string;
  readonly arguments: readonly string[];
}

/** None needs another; the longest first, so that none of them is left alone at the end. */
const checks: readonly Step[] = [
  { name: 'Web app (Vite)', tool: 'node', arguments: ['scripts/build-web.ts'] },
  { name: 'Promises (oxlint, typed)', tool: 'oxlint', arguments: ['--type-aware'] },
  { name: 'Types (tsc)', tool: 'tsc', arguments: ['-p', '.'] },
  { name: 'Types of the web app (tsc)', tool: 'tsc', arguments: ['-p', 'web'] },
  { name: 'Unused code and dependencies (knip)', tool: 'knip', arguments: [] },
  {
    name: 'Format and lint (Biome)',
    tool: 'biome',
    arguments: ['ci', '--error-on-warnings', '--diagnostic-level=warn', colours, '.'],
  },
];

const tests: Step = {
  name: 'Tests (vitest)',
  tool: 'vitest',
  arguments: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`],
};

/** Two at a time: each has times of waiting, and each has memory of its own. Resolves to the names of those that failed. */
async function runChecks(): Promise<readonly string[]> {
  const waiting = [...checks];
  const failed: string[] = [];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const { exitCode, output } = await runToolAside(step.tool, step.arguments);
      printHeading(step.name);
      process.stdout.write(output);
      if (exitCode !== 0) failed.push(`${step.name} (exit code ${exitCode})`);
    }
  };
  await Promise.all([work(), work()]);
  return failed;
}

async function runAll(): Promise<number> {
  printHeading(`Node.js ${process.versions.node}`);
  if (!checkNodeVersion()) return 1;
  await mkdir(path.dirname(resultFile), { recursive: true });
  await rm(resultFile, { force: true });
  const failed = await runChecks();
  if (failed.length > 0) {
    process.stderr.write(`\nFailed: ${failed.join(', ')}.\n`);
    return 1;
  }
  printHeading(tests.name);
  return await runTool(tests.tool, tests.arguments);
}

process.exitCode = await runAll();
