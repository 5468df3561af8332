import type { Command } from 'commander';
import type { Config } from '../settings.ts';
import { describeFailure } from './describe-failure.ts';
import { type Check, type CheckResult, machineChecks } from './machine-checks.ts';
import { addSettingFlags, readConfig } from './setting-flags.ts';
import type { Terminal } from './terminal.ts';

const marks = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

/** `perigee doctor`: tries everything a server needs; exit code 1 when something does not work. */
export function addDoctorCommand(program: Command, terminal: Terminal): void {
  addSettingFlags(program.command('doctor'), ['everywhere', 'address', 'model', 'download', 'serve', 'rare'])
    .description('Check the machine, the database, the model file and the engine, and say how to mend each.')
    .action(async (_options: object, command: Command) => {
      const config = readConfig(command, terminal);
      // Loaded here and not above: the other commands need not wait for the engines' code.
      const { engineChecks } = await import('./engine-checks.ts');
      terminal.print(
        `ok    ${'Configuration'.padEnd(16)}${config.config ?? 'no file, defaults and environment'}`,
      );
      let hasFailed = false;
      for (const check of [...machineChecks, ...engineChecks]) {
        const result = await runCheck(check, config);
        hasFailed ||= result.state === 'fail';
        terminal.print(`${marks[result.state]}  ${check.name.padEnd(16)}${result.detail}`);
        if (result.mend !== undefined) terminal.print(`${' '.repeat(22)}→ ${result.mend}`);
      }
      if (hasFailed) process.exitCode = 1;
    });
}

/** A check that throws has failed, and the error says why. */
async function runCheck(check: Check, config: Config): Promise<CheckResult> {
  try {
    return await check.run(config);
  } catch (error) {
    const [detail = '', ...rest] = describeFailure(error).split('\n');
    return { state: 'fail', detail, mend: rest[0]?.trim() || 'The line says what is missing.' };
  }
}
