import { existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { obtainModel, presetPath } from '../models/obtain-model.ts';
import { findPreset, modelPresets } from '../models/presets.ts';
import { addSettingFlags, readConfig } from './setting-flags.ts';
import { showModelProgress } from './show-model-progress.ts';
import { CommandError, formatBytes, type Terminal } from './terminal.ts';

/** `perigee models list|pull|rm`: the weights on this machine. */
export function addModelsCommand(program: Command, terminal: Terminal): void {
  const models = program.command('models').description('List, fetch and remove model files.');
  addSettingFlags(models.command('list'), ['everywhere'])
    .description('Show the presets and which of them are on this machine.')
    .option('--json', 'print JSON')
    .action((options: { json?: true }, command: Command) => {
      const { dataDir } = readConfig(command, terminal);
      listModels(modelsFolder(dataDir), options.json === true, terminal);
    });
  addSettingFlags(models.command('pull <preset>'), ['everywhere', 'download'])
    .description('Download and verify a preset; a broken download goes on where it stopped.')
    .action(async (preset: string, _options: object, command: Command) => {
      const { dataDir, hubUrl } = readConfig(command, terminal);
      const view = showModelProgress(terminal);
      const abort = new AbortController();
      process.once('SIGINT', () => abort.abort(new CommandError('Stopped. Run it again to go on.')));
      try {
        const model = await obtainModel(preset, {
          modelsDir: modelsFolder(dataDir),
          hubUrl,
          onProgress: view.onProgress,
          signal: abort.signal,
        });
        view.end();
        terminal.print(`${model.path}\n${formatBytes(model.sizeBytes)}, SHA-256 ${model.sha256}`);
      } finally {
        view.end();
      }
    });
  addSettingFlags(models.command('rm <preset>'), ['everywhere'])
    .description('Remove a preset’s file from this machine.')
    .action(async (preset: string, _options: object, command: Command) => {
      const { dataDir } = readConfig(command, terminal);
      terminal.print(await removeModel(preset, modelsFolder(dataDir)));
    });
}

/** Where model files lie inside the data folder. */
export const modelsFolder = (dataDir: string): string => path.join(dataDir, 'models');

function listModels(modelsDir: string, asJson: boolean, terminal: Terminal): void {
  const rows = modelPresets.map((preset) => {
    const file = presetPath(preset, modelsDir);
    return { ...preset, path: existsSync(file) ? file : null };
  });
  if (asJson) {
    const shown = rows.map(({ id, weights, licence, sizeBytes, sha256, note, path: file }) => {
      return {
        id,
        weights,
        licence,
        size_bytes: sizeBytes ?? null,
        sha256: sha256 ?? null,
        path: file,
        note,
      };
    });
    terminal.print(JSON.stringify(shown, null, 2));
    return;
  }
  for (const row of rows) {
    const size = row.sizeBytes === undefined ? 'size not measured' : formatBytes(row.sizeBytes);
    const state = row.path === null ? '' : ' · on this machine';
    terminal.print(`${row.id.padEnd(18)}${row.weights} · ${row.licence} · ${size}${state}`);
    terminal.print(`${' '.repeat(18)}${row.note}`);
  }
}

async function removeModel(id: string, modelsDir: string): Promise<string> {
  const preset = findPreset(id);
  if (preset === undefined) {
    throw new CommandError(`There is no preset \`${id}\`. See \`perigee models list\`.`);
  }
  const file = presetPath(preset, modelsDir);
  if (!existsSync(file)) return `${preset.weights} is not on this machine.`;
  const { size } = await stat(file);
  const leftovers = ['', '.sha256.json', '.hub.part', '.hub.part.etag', '.wheels.part'];
  await Promise.all(leftovers.map((suffix) => rm(file + suffix, { force: true })));
  return `Removed ${file} (${formatBytes(size)}).`;
}
