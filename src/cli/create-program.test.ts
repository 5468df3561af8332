import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { flagNameOf, listSettings } from '../settings.ts';
import { createProgram } from './create-program.ts';

const silent = { print: () => {}, write: () => {}, note: () => {}, isInteractive: false };

const withBelow = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(withBelow)];

describe('the command perigee', () => {
  const commands = withBelow(createProgram(silent)).map((command) => [command.name(), command] as const);

  it.each(commands)('%s: --help can be shown and says what it does', (_, command) => {
    expect(command.description()).not.toBe('');
    expect(command.helpInformation()).toContain(command.description().split(' ')[0]);
  });

  it('shows address and model where they are used, and nowhere else', () => {
    const pathOf = (command: Command): string =>
      command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();
    const commandsWith = (flag: string): readonly string[] =>
      commands
        .filter(([, command]) => command.options.some(({ long }) => long === flag))
        .map(([, command]) => pathOf(command));
    expect(commandsWith('--port')).toEqual(['serve', 'chat', 'accounts reset-link', 'doctor']);
    expect(commandsWith('--host')).toEqual(commandsWith('--port'));
    expect(commandsWith('--model')).toEqual(['serve', 'keys create', 'doctor']);
  });

  it('takes every setting as a flag, but of the secrets only the key that chat sends', () => {
    const flags = new Set(commands.flatMap(([, command]) => command.options.map(({ long }) => long)));
    const hasFlag = ({ name }: { readonly name: string }): boolean => flags.has(flagNameOf(name));
    const secrets = listSettings().filter(({ setting }) => setting.isSecret);
    const others = listSettings().filter(({ setting }) => !setting.isSecret);
    expect(others.filter((each) => !hasFlag(each)).map(({ name }) => name)).toEqual([]);
    expect(secrets.filter(hasFlag).map(({ name }) => name)).toEqual(['apiKey']);
  });

  it('names the opening balance that an account gets when none is given', () => {
    const create = commands.find(([name, { parent }]) => name === 'create' && parent?.name() === 'accounts');
    expect(create?.[1].helpInformation()).toMatch(
      /--credit <usd>\s+opening balance in US dollars \(default: 0\)/,
    );
  });
});
