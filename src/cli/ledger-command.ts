import type { Command } from 'commander';
import { type LedgerReport, verifyLedger } from '../billing/verify-ledger.ts';
import { addSettingFlags, readConfig } from './setting-flags.ts';
import { CommandError, type Terminal } from './terminal.ts';
import { withStore } from './with-store.ts';

/** `perigee ledger verify`: works on the database, beside a running server or without one. */
export function addLedgerCommand(program: Command, terminal: Terminal): void {
  const ledger = program.command('ledger').description('Prove that the books balance.');
  addSettingFlags(ledger.command('verify'), ['everywhere'])
    .description(
      'Check every balance, hold, charge and usage sum against each other; exits with 1 when they disagree.',
    )
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const report = await withStore(readConfig(command, terminal), verifyLedger);
      if (options.json === true) terminal.print(JSON.stringify(encodeReport(report), null, 2));
      else for (const { text } of report.problems) terminal.print(text);
      const summary = describeReport(report);
      if (!report.isSound) throw new CommandError(summary);
      if (options.json !== true) terminal.print(summary);
    });
}

const encodeReport = (report: LedgerReport) => ({
  is_sound: report.isSound,
  accounts: report.accountCount,
  transactions: report.transferCount,
  open_holds: report.holdCount,
  problems: report.problems.map(({ accountId, text }) => ({ account: accountId, text })),
});

function describeReport({ isSound, accountCount, transferCount, holdCount, problems }: LedgerReport): string {
  const extent = `accounts: ${accountCount}, transactions: ${transferCount}, open holds: ${holdCount}`;
  return isSound
    ? `The books balance (${extent}).`
    : `The books do not balance: ${problems.length} ${problems.length === 1 ? 'discrepancy' : 'discrepancies'} (${extent}).`;
}
