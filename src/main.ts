/** The command line: builds the program, runs it, and turns a failure into a message and an exit code. */
import { createProgram } from './cli/create-program.ts';
import { describeFailure } from './cli/describe-failure.ts';
import { processTerminal } from './cli/terminal.ts';

// A reader that closes the pipe early (`perigee models list | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await createProgram(processTerminal).parseAsync(process.argv);
} catch (error) {
  processTerminal.note(describeFailure(error));
  process.exitCode = 1;
}
