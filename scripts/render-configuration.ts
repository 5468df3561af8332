/** The settings as a Markdown table; `npm run docs` writes it into docs/configuration.md, a test compares it. */

import type { Setting } from '../src/setting.ts';
import { environmentNameOf, fileKeyOf, flagNameOf, listSettings } from '../src/settings.ts';

const escapeCell = (text: string): string => text.replaceAll('|', '\\|');

function defaultText(setting: Setting): string {
  if (setting.defaultText !== undefined) return setting.defaultText;
  const value = setting.schema.safeParse(undefined).data;
  return value === undefined ? 'none' : `\`${value}\``;
}

/** One row per setting, in the order of the settings table. */
export function renderConfigurationTable(): string {
  const rows = listSettings().map(({ name, setting }) => {
    const variables = [environmentNameOf(name), ...(setting.environmentAliases ?? [])];
    const cells = [
      name === 'config' ? '' : `\`${fileKeyOf(name)}\``,
      variables.map((variable) => `\`${variable}\``).join(', '),
      setting.flag === undefined ? '' : `\`${flagNameOf(name)}\``,
      defaultText(setting),
      setting.description + (setting.isSecret ? ' Secret.' : ''),
    ];
    return `| ${cells.map(escapeCell).join(' | ')} |`;
  });
  return [
    '| in the file | environment | flag | default | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const startMark = '<!-- settings: written by `npm run docs` -->';
const endMark = '<!-- end of settings -->';

/** The document with its table replaced. Throws when the marks are missing. */
export function replaceConfigurationTable(document: string): string {
  const start = document.indexOf(startMark);
  const end = document.indexOf(endMark);
  if (start < 0 || end < start) throw new Error('docs/configuration.md has lost the marks around its table.');
  return `${document.slice(0, start + startMark.length)}\n${renderConfigurationTable()}\n${document.slice(end)}`;
}
