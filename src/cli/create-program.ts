import { Command } from 'commander';
import { version } from '../version.ts';
import { addAccountsCommand } from './accounts-command.ts';
import { addChatCommand } from './chat-command.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { addKeysCommand } from './keys-command.ts';
import { addLedgerCommand } from './ledger-command.ts';
import { addModelsCommand } from './models-command.ts';
import { addSearchCommand } from './search-command.ts';
import { addServeCommand } from './serve-command.ts';
import type { Terminal } from './terminal.ts';

/** The command `perigee` with all its subcommands. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('perigee')
    .description('The API of moonshot/kimi-k2-turbo-preview on your own machine.')
    .version(version)
    .showHelpAfterError('(perigee --help shows every command)');
  addServeCommand(program, terminal);
  addChatCommand(program, terminal);
  addAccountsCommand(program, terminal);
  addKeysCommand(program, terminal);
  addLedgerCommand(program, terminal);
  addModelsCommand(program, terminal);
  addSearchCommand(program, terminal);
  addDoctorCommand(program, terminal);
  return program;
}
