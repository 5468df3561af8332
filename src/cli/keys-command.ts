import type { Command } from 'commander';
import { findServedId } from '../build-engines.ts';
import { decodeScopes } from '../http/platform/key-scopes.ts';
import { type ApiKey, createKey, disableKey, listKeys } from '../keys/api-keys.ts';
import type { Config } from '../settings.ts';
import { addSettingFlags, readConfig } from './setting-flags.ts';
import { CommandError, type Terminal } from './terminal.ts';
import { findAccount, withAdministration } from './with-administration.ts';
import { withStore } from './with-store.ts';

interface CreateOptions {
  readonly account: string;
  readonly name?: string;
  readonly management?: true;
  readonly scope?: readonly string[];
  readonly json?: true;
}

/** `perigee keys create|list|disable`: works on the database, beside a running server or without one. */
export function addKeysCommand(program: Command, terminal: Terminal): void {
  const keys = program.command('keys').description('Create, list and disable API keys.');
  addSettingFlags(keys.command('create'), ['everywhere', 'model'])
    .description('Create an API key and print it; it cannot be shown again.')
    .option('--name <text>', 'a name to recognise it by')
    .option('--account <email-or-number>', 'the account it belongs to', '1')
    .option('--management', 'a key that manages keys instead of asking models')
    .option(
      '--scope <scope...>',
      'what it may do: chat, web_search, caching, files, model:<id>; default: all',
    )
    .option('--json', 'print JSON')
    .action(async (options: CreateOptions, command: Command) => {
      const config = readConfig(command, terminal);
      const scopes = options.scope === undefined ? null : checkScopes(options.scope, config);
      const created = await withAdministration(config, async ({ administration, store }) => {
        const { id } = await findAccount(administration, options.account);
        return await createKey(store, {
          accountId: id,
          kind: options.management === true ? 'management' : 'regular',
          name: options.name ?? null,
          scopes,
        });
      });
      if (options.json === true) {
        terminal.print(JSON.stringify({ ...encodeKey(created.key), key: created.secret }, null, 2));
      } else {
        terminal.note('Keep this key: it cannot be shown again.');
        terminal.print(created.secret);
      }
    });
  addSettingFlags(keys.command('list'), ['everywhere'])
    .description('List the API keys by the first 8 characters of each.')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const all = await withStore(readConfig(command, terminal), (store) => listKeys(store));
      if (options.json === true) terminal.print(JSON.stringify(all.map(encodeKey), null, 2));
      else if (all.length === 0) terminal.note('There is no API key yet; `perigee keys create` makes one.');
      else for (const key of all) terminal.print(describeKey(key));
    });
  addSettingFlags(keys.command('disable <prefix>'), ['everywhere'])
    .description('Disable a key by its first 8 characters; a running server refuses it within a second.')
    .option('--json', 'print JSON')
    .action(async (prefix: string, options: { json?: true }, command: Command) => {
      if (prefix.length !== 8) throw new CommandError('Give the first 8 characters of the key.');
      const key = await withStore(readConfig(command, terminal), (store) => disableKey(store, prefix));
      terminal.print(options.json === true ? JSON.stringify(encodeKey(key), null, 2) : describeKey(key));
    });
}

/** The rules of `POST /v1/keys`: a key with a misspelt scope would be refused everywhere. */
function checkScopes(scopes: readonly string[], config: Config): readonly string[] {
  return decodeScopes(scopes, {
    find: (name) => {
      const id = findServedId(config, name);
      return id === undefined ? undefined : { id };
    },
  });
}

const isoTime = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

const encodeKey = (key: ApiKey) => ({
  prefix: key.prefix,
  kind: key.kind,
  account: key.accountId,
  name: key.name,
  scopes: key.scopes,
  is_disabled: key.isDisabled,
  expires_at: isoTime(key.expiresAt),
  last_used_at: isoTime(key.lastUsedAt),
  created_at: isoTime(key.createdAt),
});

function describeKey(key: ApiKey): string {
  const state = key.isDisabled ? 'disabled' : 'enabled';
  const used = key.lastUsedAt === null ? 'never used' : `last used ${isoTime(key.lastUsedAt)}`;
  const name = key.name === null ? '' : ` · ${key.name}`;
  return `${key.prefix}…  ${state} · ${key.kind} · account ${key.accountId} · ${used}${name}`;
}
