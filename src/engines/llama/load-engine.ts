/** From a `load` message to a running scheduler: checks the file, sizes the cache, loads, tests. */
import { type GgufHeader, readGgufHeader } from './gguf-header.ts';
import { loadNativeModel, type NativeModel, sequencesMax } from './native-context.ts';
import { openPrefixFiles, type PrefixFiles } from './prefix-files.ts';
import { createPrefixSpill, type PrefixSpill } from './prefix-spill.ts';
import type { EngineStats, LoadedModel, LoadOptions } from './protocol.ts';
import { prepareIndex } from './sampling/vocabulary-index.ts';
import { Scheduler, type SchedulerOptions } from './scheduler.ts';
import { runSelfTest } from './self-test.ts';
import { type ContextSize, sizeContext } from './size-context.ts';
import { SoloLane } from './solo-lane.ts';
import { createTransferPace } from './transfer-pace.ts';
import { createVocabulary, type Vocabulary } from './vocabulary.ts';

/** Choices and prompts worked on at once; more only make each of them slower. */
const runningMax = 32;
/** Of the cache, for idle prefixes; what is left over lets a short request in without evicting any. */
const prefixCacheShare = 0.75;

export interface LoadedEngine {
  readonly model: LoadedModel;
  readonly vocabulary: Vocabulary;
  readonly scheduler: Scheduler;
  /** Absent = nothing is kept on disk. */
  readonly spill: PrefixSpill | undefined;
  stats(heldPrompts: number): EngineStats;
}

export interface EngineCallbacks extends Pick<SchedulerOptions, 'publish' | 'onFatal'> {
  /** The file of a pinned prefix turned out to be damaged. */
  readonly onPrefixLost: (name: string) => void;
}

/** @throws Error with a text for the operator. */
export async function loadEngine(options: LoadOptions, callbacks: EngineCallbacks): Promise<LoadedEngine> {
  const header = readGgufHeader(options.modelPath);
  const size = sizeContext(options, header, process.availableMemory());
  const native = await loadNativeModel(options.modelPath, options.threads, callbacks.onFatal);
  const vocabulary = createVocabulary(native.binding, native.vocabulary);
  prepareIndex(vocabulary);
  const context = native.createContext({
    cells: size.kvCells,
    kvType: options.kvType,
    outputsMax: runningMax,
    hasFlashAttention: true,
  });
  await runSelfTest(context, vocabulary.size);
  const soloLane = new SoloLane({
    createContext: () =>
      native.createContext({
        cells: size.contextTokens,
        kvType: 'f16',
        outputsMax: 1,
        hasFlashAttention: false,
      }),
    vocabulary,
    contextTokens: size.contextTokens,
  });
  const files = openFiles(options, native, size.contextTokens);
  let spill: PrefixSpill | undefined;
  const scheduler = new Scheduler({
    context,
    soloLane,
    vocabulary,
    contextTokens: size.contextTokens,
    prefixCacheCells:
      options.prefixCacheCells ?? Math.max(Math.floor(context.cells * prefixCacheShare), size.contextTokens),
    sequencesMax,
    runningMax,
    ...(files !== undefined && {
      createSpill: (onDue: () => void) => {
        spill = createPrefixSpill({
          context,
          files,
          pace: createTransferPace(),
          onDue,
          onLost: callbacks.onPrefixLost,
        });
        return spill;
      },
    }),
    ...callbacks,
  });
  return {
    model: {
      ...describeModel(header, native, vocabulary, { ...size, kvCells: context.cells }),
      pinnedPrefixes: files?.pinnedNames() ?? [],
    },
    vocabulary,
    scheduler,
    spill,
    stats: (heldPrompts) => ({
      ...scheduler.stats(),
      kvCells: context.cells,
      residentBytes: process.memoryUsage.rss(),
      heldPrompts,
    }),
  };
}

/** A folder that cannot be used costs the server its memory of prefixes, nothing else. */
function openFiles(
  { prefixFiles, kvType }: LoadOptions,
  native: NativeModel,
  contextTokens: number,
): PrefixFiles | undefined {
  if (prefixFiles === undefined || prefixFiles.bytesMax === 0) return undefined;
  const { folder, bytesMax, modelDigest } = prefixFiles;
  const identity = { modelDigest, library: native.libraryName, kvType, isKvUnified: true };
  try {
    return openPrefixFiles({ folder, bytesMax, identity, contextTokens });
  } catch (error) {
    process.stderr.write(`error: computed prefixes cannot be kept in ${folder}: ${String(error)}\n`);
    return undefined;
  }
}

function describeModel(
  header: GgufHeader,
  native: NativeModel,
  vocabulary: Vocabulary,
  size: ContextSize,
): Omit<LoadedModel, 'pinnedPrefixes'> {
  return {
    architecture: header.architecture,
    name: header.name,
    parameterCount: native.parameterCount,
    // The file, as it is downloaded and listed; its tensors alone are a little less.
    sizeBytes: header.fileSizeBytes,
    trainedContextTokens: native.trainedContextTokens,
    contextTokens: size.contextTokens,
    kvCells: size.kvCells,
    vocabularySize: vocabulary.size,
    chatTemplate: header.chatTemplate,
    bosToken: vocabulary.bosToken,
    eosToken: vocabulary.eosToken,
    hasLeadingBos: vocabulary.hasLeadingBos,
    specialTokens: vocabulary.specialTokens,
    memoryBytes: native.sizeBytes + size.kvBytes,
  };
}
