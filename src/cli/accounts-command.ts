import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AccountOverview } from '../accounts/account-overviews.ts';
import { createManualBookings } from '../billing/manual-bookings.ts';
import { formatUsd, MoneyFormatError, parseUsd } from '../billing/money.ts';
import { localUrl } from './chat-command.ts';
import { addSettingFlags, readConfig } from './setting-flags.ts';
import type { Terminal } from './terminal.ts';
import { findAccount, withAdministration } from './with-administration.ts';

interface JsonOption {
  readonly json?: true;
}

interface CreateOptions extends JsonOption {
  readonly name?: string;
  readonly password?: string;
  readonly admin?: true;
  readonly credit?: bigint;
}

interface GrantOptions extends JsonOption {
  readonly type: 'BONUS' | 'PAYMENT' | 'ADJUSTMENT';
  readonly note?: string;
  readonly onceKey?: string;
}

interface ListOptions extends JsonOption {
  readonly search?: string;
}

/** `perigee accounts …`: works on the database, beside a running server or without one. */
export function addAccountsCommand(program: Command, terminal: Terminal): void {
  const accounts = program.command('accounts').description('List, make, disable and pay accounts.');
  addListCommand(accounts, terminal);
  addCreateCommand(accounts, terminal);
  addStateCommand(accounts, terminal, 'disable');
  addStateCommand(accounts, terminal, 'enable');
  addGrantCommand(accounts, terminal);
  addResetLinkCommand(accounts, terminal);
}

function addListCommand(accounts: Command, terminal: Terminal): void {
  addSettingFlags(accounts.command('list'), ['everywhere'])
    .description('List the accounts, newest first.')
    .option('--search <text>', 'part of the e-mail address or the name')
    .option('--json', 'print JSON')
    .action(async ({ search, json }: ListOptions, command: Command) => {
      const all = await withAdministration(readConfig(command, terminal), async ({ administration }) => {
        const found: AccountOverview[] = [];
        let beforeId: number | undefined;
        for (;;) {
          const page = await administration.list({ search, limit: 200, beforeId });
          found.push(...page.accounts);
          if (page.nextBeforeId === null) return found;
          beforeId = page.nextBeforeId;
        }
      });
      if (json === true) terminal.print(JSON.stringify(all.map(encodeAccount), null, 2));
      else for (const account of all) terminal.print(describeAccount(account));
    });
}

function addCreateCommand(accounts: Command, terminal: Terminal): void {
  addSettingFlags(accounts.command('create <email>'), ['everywhere'])
    .description('Make an account; without --password one is drawn and printed once.')
    .option('--name <text>', 'how the person is called')
    .option('--password <text>', 'at least 8 characters')
    .option('--admin', 'an administrator')
    .option('--credit <usd>', 'opening balance in US dollars (default: 0)', parseAmount)
    .option('--json', 'print JSON')
    .action(async (email: string, options: CreateOptions, command: Command) => {
      const password = options.password ?? randomBytes(18).toString('base64url');
      const account = await withAdministration(readConfig(command, terminal), ({ administration }) =>
        administration.create({
          email,
          password,
          name: options.name,
          isAdmin: options.admin === true,
          openingCreditNanoUsd: options.credit ?? 0n,
        }),
      );
      const isDrawn = options.password === undefined;
      if (options.json === true) {
        terminal.print(JSON.stringify({ ...encodeAccount(account), ...(isDrawn && { password }) }, null, 2));
        return;
      }
      terminal.print(describeAccount(account));
      if (isDrawn) terminal.print(`password  ${password}`);
    });
}

function addStateCommand(accounts: Command, terminal: Terminal, action: 'disable' | 'enable'): void {
  const isDisabled = action === 'disable';
  addSettingFlags(accounts.command(`${action} <email-or-number>`), ['everywhere'])
    .description(
      isDisabled
        ? 'Stop an account: its sessions at once, its keys within a second.'
        : 'Let a disabled account go on; approves one that waits for approval.',
    )
    .option('--json', 'print JSON')
    .action(async (name: string, { json }: JsonOption, command: Command) => {
      const account = await withAdministration(readConfig(command, terminal), async ({ administration }) => {
        const { id, state } = await findAccount(administration, name);
        return !isDisabled && state === 'awaits_approval'
          ? await administration.approve(id)
          : await administration.change(id, { isDisabled });
      });
      printAccount(terminal, account, json);
    });
}

function addGrantCommand(accounts: Command, terminal: Terminal): void {
  addSettingFlags(accounts.command('grant'), ['everywhere'])
    .argument('<email-or-number>', 'whose account')
    .argument('<usd>', 'how much', parseAmount)
    .description('Book credit in US dollars; an ADJUSTMENT may be negative (write -- before it).')
    .addOption(
      new Option('--type <type>', 'kind of entry')
        .choices(['BONUS', 'PAYMENT', 'ADJUSTMENT'])
        .default('BONUS'),
    )
    .option('--note <text>', 'why')
    .option('--once-key <text>', 'a second grant with the same key books nothing')
    .option('--json', 'print JSON')
    .action(async (name: string, amountNanoUsd: bigint, options: GrantOptions, command: Command) => {
      const { account, isRepeat } = await withAdministration(
        readConfig(command, terminal),
        async ({ administration, store }) => {
          const { id } = await findAccount(administration, name);
          const booked = await createManualBookings(store).grant({
            accountId: id,
            type: options.type,
            amountNanoUsd,
            note: options.note ?? null,
            referenceId: null,
            onceKey: options.onceKey ?? randomBytes(12).toString('hex'),
            // Whoever runs the command has the database; no administrator's account stands behind it.
            bookedByAccountId: null,
          });
          return { account: await administration.read(id), isRepeat: booked.isRepeat };
        },
      );
      if (isRepeat) terminal.note('It was booked before under this key; nothing was booked now.');
      printAccount(terminal, account, options.json);
    });
}

function addResetLinkCommand(accounts: Command, terminal: Terminal): void {
  addSettingFlags(accounts.command('reset-link <email-or-number>'), ['everywhere', 'address'])
    .description('Print a link that sets a new password, good for an hour.')
    .option('--json', 'print JSON')
    .action(async (name: string, { json }: JsonOption, command: Command) => {
      const config = readConfig(command, terminal);
      const link = await withAdministration(config, async ({ administration, store }) => {
        const { id } = await findAccount(administration, name);
        // Loaded here and not above: the other commands need not wait for it.
        const { buildPeople } = await import('../build-people.ts');
        const people = buildPeople(store, config, {
          localUrl: () => localUrl(config),
          // Only mails fail in the background; a link that is made here throws.
          onResetError: () => undefined,
        });
        const made = await people.resets.createLink(id);
        await people.close();
        return made;
      });
      const expiresAt = new Date(link.expiresAt).toISOString();
      if (json === true) terminal.print(JSON.stringify({ url: link.url, expires_at: expiresAt }, null, 2));
      else terminal.print(link.url);
      if (config.publicUrl === undefined) {
        terminal.note(
          'The link leads to the configured address; --host and --port, or PERIGEE_PUBLIC_URL, name another.',
        );
      }
    });
}

function parseAmount(text: string): bigint {
  try {
    return parseUsd(text);
  } catch (error) {
    if (error instanceof MoneyFormatError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function printAccount(terminal: Terminal, account: AccountOverview, json: true | undefined): void {
  terminal.print(json === true ? JSON.stringify(encodeAccount(account), null, 2) : describeAccount(account));
}

const encodeAccount = (account: AccountOverview) => ({
  id: account.id,
  email: account.email,
  name: account.name,
  is_admin: account.isAdmin,
  state: account.state,
  balance_usd: formatUsd(account.balanceNanoUsd),
  spent_total_usd: formatUsd(account.spentTotalNanoUsd),
  keys: account.keyCount,
  created_at: new Date(account.createdAt).toISOString(),
});

function describeAccount(account: AccountOverview): string {
  const role = account.isAdmin ? ' · administrator' : '';
  const state = account.state === 'awaits_approval' ? 'waits for approval' : account.state;
  return `${account.id}  ${account.email}  ${state}${role} · ${formatUsd(account.balanceNanoUsd)} USD · ${account.keyCount} ${account.keyCount === 1 ? 'key' : 'keys'}`;
}
