import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { pino } from 'pino';
import type { App } from '../build-app.ts';
import { errorCodeOf } from '../error-code.ts';
import { createLogger } from '../logger.ts';
import type { Config } from '../settings.ts';
import { version } from '../version.ts';
import { describeFirstStart, describeModels } from './banner.ts';
import { restartWithFlags } from './restart-with-flags.ts';
import { addSettingFlags, readConfig } from './setting-flags.ts';
import { showModelProgress } from './show-model-progress.ts';
import { CommandError, type Terminal } from './terminal.ts';
import { explainStoreFailure } from './with-store.ts';

/** `perigee serve`: what `npm start` runs. */
export function addServeCommand(program: Command, terminal: Terminal): void {
  addSettingFlags(program.command('serve'), ['everywhere', 'address', 'model', 'download', 'serve', 'rare'])
    .description('Start the server.')
    .action(async (_options: object, command: Command) => {
      restartWithFlags();
      await serve(readConfig(command, terminal), terminal);
    });
}

async function serve(config: Config, terminal: Terminal): Promise<void> {
  // Loaded here and not above: the other commands need not wait for the whole server's code.
  const { buildApp } = await import('../build-app.ts');
  // Little survives a request, so one thread collects as fast as five that wait for each other, for a tenth of the CPU
  // time of all requests (decision 0021).
  setFlagsFromString('--no-parallel-scavenge');
  const view = showModelProgress(terminal);
  const logger = createLogger(config.logLevel, pino.destination({ fd: 2, sync: false }));
  terminal.print(`Perigee ${version}`);
  const app = await buildApp(config, { onModelProgress: view.onProgress, logger }).catch((error: unknown) => {
    throw explainStoreFailure(error, config);
  });
  const url = await listen(app, config);
  closeOnSignal(app, config, terminal);
  if (app.firstStart !== undefined) {
    terminal.print(describeFirstStart(app.firstStart, url, app.models.list()[0]?.id));
  }
  terminal.print(`Listening on ${url}`);
  terminal.print(`Open ${url}/app/ in a browser: playground, dashboard, documentation.`);
  await app.modelStarted;
  view.end();
  terminal.print(await describeModels(app));
}

async function listen(app: App, config: Config): Promise<string> {
  try {
    return await app.listen();
  } catch (error) {
    await app.close(0);
    const code = errorCodeOf(error);
    const place = `${config.host}:${config.port}`;
    if (code === 'EADDRINUSE') {
      throw new CommandError(
        `Another program listens on ${place} already. Stop it, or choose another port: --port 8788.`,
        { cause: error },
      );
    }
    if (code === 'EACCES') {
      throw new CommandError(`This user may not listen on ${place}. Choose a port from 1024: --port 8787.`, {
        cause: error,
      });
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new CommandError(`This machine has no address ${config.host}. Check --host.`, { cause: error });
    }
    throw error;
  }
}

/** The first signal ends in order, the second at once. */
function closeOnSignal(app: App, config: Config, terminal: Terminal): void {
  let isClosing = false;
  const onSignal = (): void => {
    if (isClosing) process.exit(130);
    isClosing = true;
    terminal.note('Shutting down; running answers may end. Once more to stop at once.');
    app.close(config.shutdownSeconds * 1_000).then(
      (isComplete) => {
        if (!isComplete) {
          terminal.note(
            'The database did not answer in time. What running answers had reserved is given back within a minute by the next server, or by another one.',
          );
        }
        process.exit(0);
      },
      (error: unknown) => {
        terminal.note(`The shutdown failed: ${error instanceof Error ? error.message : String(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}
