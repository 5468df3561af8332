/** `npm start`: builds the web app when it is stale, then runs `perigee serve` with the flags behind `--`. */
import { isWebStale } from './build-web.ts';
import { checkNodeVersion, repositoryRoot, runTool } from './run-step.ts';

if (checkNodeVersion()) {
  await prepareWebApp();
  // In this very process: Ctrl-C and exit codes need no forwarding.
  process.argv = [process.execPath, `${repositoryRoot}bin/perigee.js`, 'serve', ...process.argv.slice(2)];
  await import('../src/main.ts');
} else {
  process.exitCode = 1;
}

/** The API is served with or without pages, so a failure here is told and does not end the start. */
async function prepareWebApp(): Promise<void> {
  if (!(await isWebStale())) return;
  process.stdout.write('Building the web app (once per change) …\n');
  const exitCode = await runTool('node', [`${repositoryRoot}scripts/build-web.ts`]);
  if (exitCode !== 0) {
    process.stderr.write('The web app could not be built; the server starts without it.\n');
  }
}
