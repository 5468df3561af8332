/** Turns the settings table into command line flags. */
import { type Command, Option } from 'commander';
import { loadConfig } from '../config.ts';
import type { FlagScope } from '../setting.ts';
import { type Config, flagNameOf, listSettings, type SettingName } from '../settings.ts';
import type { Terminal } from './terminal.ts';

/** Adds the flags of these scopes; their values come back from `readConfig`. */
export function addSettingFlags(command: Command, scopes: readonly FlagScope[]): Command {
  for (const { name, setting } of listSettings()) {
    if (setting.flag === undefined || !scopes.includes(setting.flag.scope)) continue;
    const option = new Option(`${flagNameOf(name)} <${setting.flag.value}>`, setting.description);
    command.addOption(setting.flag.scope === 'rare' ? option.helpGroup('Further settings:') : option);
  }
  return command;
}

/** The configuration, with the flags that this command was given. Variables that are no setting are noted. */
export function readConfig(command: Command, terminal: Terminal): Config {
  const given = command.optsWithGlobals<Record<string, unknown>>();
  const flags: Partial<Record<SettingName, unknown>> = {};
  for (const { name } of listSettings()) {
    if (given[name] !== undefined) flags[name] = given[name];
  }
  return loadConfig({
    flags,
    onUnknownVariable: ({ name, nearest }) =>
      terminal.note(
        `${name} is no setting and changes nothing; ` +
          (nearest === undefined ? 'docs/configuration.md names them all.' : `did you mean ${nearest}?`),
      ),
  });
}
