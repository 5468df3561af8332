/** Prints one plain line with what vitest really counted, from the report that `npm test` left. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from './run-step.ts';

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const reportFile = path.join(repositoryRoot, '.cache', 'vitest.json');
if (existsSync(reportFile)) {
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as VitestReport; // Written by vitest's own reporter.
  const skipped = report.numPendingTests + report.numTodoTests;
  const skippedText = skipped > 0 ? `, ${skipped} skipped` : '';
  process.stdout.write(`${report.numPassedTests} passed, ${report.numFailedTests} failed${skippedText}\n`);
} else {
  process.stdout.write('No test was run: an earlier step failed.\n');
}
