/** What `perigee doctor` looks at inside Perigee: database, uploaded files, model file, engines. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { buildEngines, embeddedContext, usesEmbeddedEngine } from '../build-engines.ts';
import { readS3Settings } from '../build-files.ts';
import { readGgufHeader } from '../engines/llama/gguf-header.ts';
import { findNativeLibrary } from '../engines/llama/native-library.ts';
import { cellBytesOf, sizeContext } from '../engines/llama/size-context.ts';
import { StorageError } from '../files/file-storage.ts';
import { createS3Storage } from '../files/s3-storage.ts';
import { digestFile, recordBeside } from '../models/file-digest.ts';
import { presetPath } from '../models/obtain-model.ts';
import { findPreset } from '../models/presets.ts';
import { inspectStore } from '../store/open-store.ts';
import type { Check, CheckResult } from './machine-checks.ts';
import { modelsFolder } from './models-command.ts';
import { formatBytes } from './terminal.ts';
import { explainStoreFailure } from './with-store.ts';

const storeCheck: Check = {
  name: 'Database',
  run: async (config) => {
    const found = await inspectStore(config).catch((error: unknown) => {
      throw explainStoreFailure(error, config);
    });
    if (found === undefined) return { state: 'ok', detail: 'none yet; the first start makes it' };
    const { kind, accountCount, pending } = found;
    const detail = `${kind}, ${accountCount} ${accountCount === 1 ? 'account' : 'accounts'}`;
    if (pending.length === 0 || accountCount === 0) return { state: 'ok', detail };
    return {
      state: 'warn',
      detail: `${detail}, of an older version`,
      mend: `The next start changes its schema (${pending.join(', ')}): make a backup first.`,
    };
  },
};

const filesCheck: Check = {
  name: 'Uploaded files',
  run: async (config) => {
    const s3 = readS3Settings(config);
    if (s3 === undefined) return { state: 'ok', detail: path.join(config.dataDir, 'files') };
    const storage = createS3Storage(s3);
    try {
      // One page is enough, and leaves nothing behind.
      await storage.list()[Symbol.asyncIterator]().next();
      return { state: 'ok', detail: s3.url };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
      return {
        state: 'fail',
        detail: `${s3.url}: ${error.message}${cause}`,
        mend: 'Check files_s3_url (endpoint and bucket), files_s3_region and both keys, and that the bucket is there.',
      };
    } finally {
      await storage.close();
    }
  },
};

const libraryCheck: Check = {
  name: 'Engine library',
  run: async () => ({ state: 'ok', detail: findNativeLibrary().folder }),
};

const modelFileCheck: Check = {
  name: 'Model file',
  run: async (config) => {
    if (config.model === 'none' || !usesEmbeddedEngine(config)) return { state: 'ok', detail: 'none wanted' };
    const preset = findPreset(config.model);
    const file = preset === undefined ? config.model : presetPath(preset, modelsFolder(config.dataDir));
    if (!existsSync(file)) {
      return preset === undefined
        ? { state: 'fail', detail: `${file} is not there`, mend: 'Check --model or PERIGEE_MODEL.' }
        : {
            state: 'warn',
            detail: `${preset.weights} is not downloaded yet`,
            mend: `\`perigee models pull ${preset.id}\`, or just start the server: it fetches the file.`,
          };
    }
    const { sizeBytes, sha256 } = await digestFile(
      file,
      // A diagnosis reads a file of the operator's own anew, and leaves nothing behind.
      preset === undefined ? {} : { recordPath: recordBeside(file) },
    );
    if (preset?.sha256 !== undefined && preset.sha256 !== sha256) {
      return {
        state: 'fail',
        detail: `${file} is damaged (SHA-256 ${sha256})`,
        mend: `\`perigee models rm ${preset.id}\` and \`perigee models pull ${preset.id}\`.`,
      };
    }
    return { state: 'ok', detail: `${file}, ${formatBytes(sizeBytes)}, SHA-256 ${sha256.slice(0, 16)}…` };
  },
};

/** What the key-value cache takes in each of its number formats, before anything is loaded. */
const memoryCheck: Check = {
  name: 'Model memory',
  run: async (config) => {
    const preset = findPreset(config.model);
    const file = preset === undefined ? config.model : presetPath(preset, modelsFolder(config.dataDir));
    if (!usesEmbeddedEngine(config) || !existsSync(file))
      return { state: 'ok', detail: 'no model file to look at' };
    const header = readGgufHeader(file);
    const wanted = embeddedContext(config);
    const size = sizeContext({ ...wanted, kvType: config.kvType }, header, process.availableMemory());
    const perType = (['f16', 'q8_0'] as const).map(
      (kvType) => `${kvType} ${formatBytes(cellBytesOf(header, kvType) * size.kvCells)}`,
    );
    const detail =
      `window ${size.contextTokens} of ${header.trainedContextTokens} tokens, key-value cache ${size.kvCells} tokens: ` +
      `${perType.join(', ')}; deterministic requests ${formatBytes(size.laneBytes)} more`;
    const wantedWindow = Math.min(wanted.contextTokensMax, header.trainedContextTokens);
    if (size.contextTokens >= wantedWindow && size.kvCells >= wanted.kvCells) return { state: 'ok', detail };
    return {
      state: 'warn',
      detail,
      mend: `Memory does not reach for the ${wanted.kvCells} tokens that were asked for: free some, use --kv-type q8_0, or lower --kv-cells.`,
    };
  },
};

const engineCheck: Check = {
  name: 'Engines',
  run: async (config): Promise<CheckResult> => {
    const preset = findPreset(config.model);
    const file = preset === undefined ? undefined : presetPath(preset, modelsFolder(config.dataDir));
    if (usesEmbeddedEngine(config) && file !== undefined && !existsSync(file)) {
      return { state: 'warn', detail: 'not tried: the model file is missing', mend: 'See the line above.' };
    }
    const engines = buildEngines(config, { onModelProgress: () => {}, onEngineChange: () => {} });
    try {
      await engines.started;
      const states = engines.servedModels.map(({ id, engine }) => ({ id, health: engine.health() }));
      const broken = states.find(({ health }) => health.state !== 'ready');
      if (broken === undefined) return { state: 'ok', detail: `${states.length} served models can answer` };
      const reason = broken.health.state === 'ready' ? '' : broken.health.detail;
      return {
        state: 'fail',
        detail: `${broken.id}: ${reason}`,
        mend: 'Mend what the line says, or choose another --model.',
      };
    } finally {
      await engines.close();
    }
  },
};

/** The checks of Perigee's own parts, in the order of their lines. */
export const engineChecks: readonly Check[] = [
  storeCheck,
  filesCheck,
  libraryCheck,
  modelFileCheck,
  memoryCheck,
  engineCheck,
];
