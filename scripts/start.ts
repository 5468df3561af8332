/** `npm start`: checks what a clone needs, then runs `perigee serve` with the flags behind `--`. */
import { checkNodeVersion, repositoryRoot } from './run-step.ts';

if (checkNodeVersion()) {
  // In this very process: Ctrl-C and exit codes need no forwarding.
  process.argv = [process.execPath, `${repositoryRoot}bin/perigee.js`, 'serve', ...process.argv.slice(2)];
  await import('../src/main.ts');
} else {
  process.exitCode = 1;
}
