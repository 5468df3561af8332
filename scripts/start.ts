/** `npm start`: builds the web app when it is stale, then runs `perigee serve` with the flags behind `--`. */
import { buildWebWhenStale } from './build-web.ts';
import { checkNodeVersion, repositoryRoot } from './run-step.ts';

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
  try {
    await buildWebWhenStale({
      onBuild: () => process.stdout.write('Building the web app (once per change) …\n'),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`The web app could not be built; the server starts without it. ${reason}\n`);
  }
}
