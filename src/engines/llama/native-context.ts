/** One loaded model and its contexts: the only owner of native memory. Policy (what to decode when) lives in `scheduler.ts`. */
import { basename } from 'node:path';
import { createAbortFlag } from './abort-flag.ts';
import { addressOf, callAsync, type LlamaBinding, loadBinding, viewFloats } from './binding.ts';
import { findNativeLibrary } from './native-library.ts';
import type { Pointer } from './native-structs.ts';
import { createThreadPace, type ThreadPace } from './thread-pace.ts';

/** Tokens of one decode; one physical batch, so that an abort drops all of it or nothing. */
export const batchTokensMax = 512;
/**
 * A decode that takes longer will never return: steps are planned to take a third of a second, and the very first one,
 * whose speed nobody knows yet, has at most 128 tokens.
 */
const hangMs = 180_000;
/** Sequence ids that a unified KV cache knows, whatever `n_seq_max` says (llama.cpp's LLAMA_MAX_SEQ). */
export const sequencesMax = 256;

/** `llama_decode`: done, no free KV cells, stopped by the abort flag. */
export type DecodeResult = 'done' | 'no-cells' | 'aborted';

export interface BatchToken {
  readonly token: number;
  readonly position: number;
  readonly sequence: number;
  readonly needsLogits: boolean;
}

export interface ContextOptions {
  readonly cells: number;
  readonly kvType: 'f16' | 'q8_0';
  /** Most sequences that get logits from one decode; sizes the output buffers. Sequence ids are not bound by it. */
  readonly outputsMax: number;
  /**
   * False: attention in the way whose result does not depend on the number of threads; needs `f16`.
   */
  readonly hasFlashAttention: boolean;
}

/**
 * A KV cache with the means to decode into it; it lives as long as the process. No method may be called while `decode`
 * runs.
 */
export interface NativeContext {
  readonly cells: number;
  /** @throws Error when llama.cpp fails for another reason than the three results. */
  decode(tokens: readonly BatchToken[]): Promise<DecodeResult>;
  /** Logits of the n-th token that needed them; valid until the next decode. */
  logits(row: number): Float32Array;
  copySequence(source: number, target: number, length: number): void;
  /** Forgets positions from `start` on. */
  truncateSequence(sequence: number, start: number): void;
  clear(): void;
  /** Bytes of a sequence's state. This and the next two take ids below `outputsMax` only. */
  stateBytes(sequence: number): number;
  /** Writes a sequence to a new file and returns its size; 0 = it could not be written. */
  saveSequence(sequence: number, path: string, tokens: Int32Array): number;
  /**
   * Fills the sequence from such a file; false = it does not fit. The file must be known to be whole: llama.cpp ends
   * the process over one that is cut short.
   */
  loadSequence(sequence: number, path: string, length: number): boolean;
  /** Raises or lowers the flag that stops a running decode; the one method allowed during `decode`. */
  setAbort(isRaised: boolean): void;
}

export interface NativeModel {
  readonly binding: LlamaBinding;
  readonly vocabulary: Pointer;
  /** Which build of llama.cpp computes here. */
  readonly libraryName: string;
  readonly trainedContextTokens: number;
  readonly sizeBytes: number;
  readonly parameterCount: number;
  createContext(options: ContextOptions): NativeContext;
}

/** `enum llama_flash_attn_type` */
const flashAttention = { auto: -1, disabled: 0 } as const;
/** `enum ggml_type` */
const ggmlTypes = { f16: 1, q8_0: 8 } as const;

/**
 * Loads the weights on a worker thread.
 * @param onHang told when a decode does not return; nothing but the process's end can stop it
 * @throws Error with a text for the operator.
 */
export async function loadNativeModel(
  path: string,
  threads: number,
  onHang: (error: Error) => void,
): Promise<NativeModel> {
  const binding = loadBinding();
  const model = await callAsync(binding.modelLoad, path, binding.modelDefaultParams());
  if (model === null) {
    throw new Error(
      `llama.cpp cannot load ${basename(path)}: the file is damaged or its architecture is unknown.`,
    );
  }
  if (binding.modelIsRecurrent(model) || binding.modelIsHybrid(model) || binding.modelIsDiffusion(model)) {
    throw new Error(
      `${basename(path)} is a recurrent, hybrid or diffusion model: its state cannot be shared by prefix. Serve it through an openai-compatible engine.`,
    );
  }
  const compute: Compute = {
    threads,
    threadPool: binding.createThreadPool(threads),
    pace: createThreadPace(threads),
    onHang,
  };
  return {
    binding,
    vocabulary: binding.modelVocabulary(model),
    libraryName: findNativeLibrary().name,
    trainedContextTokens: binding.modelContextTrained(model),
    sizeBytes: Number(binding.modelSize(model)),
    parameterCount: Number(binding.modelParameterCount(model)),
    createContext: (options) => createContext(binding, model, compute, options),
  };
}

/** The threads that all contexts share; one decode runs at a time. */
interface Compute {
  readonly threads: number;
  readonly threadPool: Pointer | null;
  readonly pace: ThreadPace;
  readonly onHang: (error: Error) => void;
}

function createContext(
  binding: LlamaBinding,
  model: Pointer,
  compute: Compute,
  options: ContextOptions,
): NativeContext {
  const abortFlag = createAbortFlag();
  const context = binding.contextCreate(model, {
    ...binding.contextDefaultParams(),
    n_ctx: options.cells,
    n_batch: batchTokensMax,
    n_ubatch: batchTokensMax,
    n_seq_max: options.outputsMax,
    n_outputs_max: options.outputsMax,
    n_threads: compute.threads,
    n_threads_batch: compute.threads,
    flash_attn_type: options.hasFlashAttention ? flashAttention.auto : flashAttention.disabled,
    type_k: ggmlTypes[options.kvType],
    type_v: ggmlTypes[options.kvType],
    abort_callback: abortFlag.callback,
    abort_callback_data: abortFlag.data,
    kv_unified: true,
  });
  if (context === null) {
    throw new Error(`llama.cpp cannot allocate a KV cache of ${options.cells} tokens; lower the setting.`);
  }
  if (compute.threadPool !== null) binding.attachThreadPool(context, compute.threadPool, compute.threadPool);
  const memory = binding.contextMemory(context);
  const vocabularySize = binding.vocabularySize(binding.modelVocabulary(model));
  const batch = createBatch();
  let currentThreads = compute.threads;
  const logits = createLogitsView(binding, context, vocabularySize);
  return {
    cells: binding.contextCells(context),
    async decode(tokens) {
      abortFlag.set(false);
      const native = batch.fill(tokens);
      const threads = compute.pace.begin();
      // Each call writes a line to the log of llama.cpp.
      if (threads !== currentThreads) binding.setThreads(context, threads, threads);
      currentThreads = threads;
      const watchdog = setTimeout(() => compute.onHang(new Error('llama_decode does not return')), hangMs);
      const code = await callAsync(binding.decode, context, native).finally(() => clearTimeout(watchdog));
      compute.pace.end();
      logits.refresh(code === 0 ? batch.outputCount() : 0);
      if (code === 0) return 'done';
      if (code === 1) return 'no-cells';
      if (code === 2) return 'aborted';
      throw new Error(`llama_decode failed with code ${code}`);
    },
    logits: (row) => logits.row(row),
    copySequence: (source, target, length) => binding.sequenceCopy(memory, source, target, 0, length),
    truncateSequence: (sequence, start) => {
      binding.sequenceRemove(memory, sequence, start, -1);
    },
    clear: () => binding.memoryClear(memory, false),
    stateBytes: (sequence) => Number(binding.stateSize(context, sequence)),
    saveSequence: (sequence, path, tokens) =>
      Number(binding.stateSave(context, path, sequence, tokens, tokens.length)),
    loadSequence(sequence, path, length) {
      const tokens = new Int32Array(length);
      const count = new BigUint64Array(1);
      const bytes = binding.stateLoad(context, path, sequence, tokens, length, count);
      return Number(bytes) > 0 && Number(count[0]) === length;
    },
    setAbort: (isRaised) => abortFlag.set(isRaised),
  };
}

/** The arrays behind `llama_batch`, allocated once; each token belongs to exactly one sequence. */
function createBatch() {
  const tokens = new Int32Array(batchTokensMax);
  const positions = new Int32Array(batchTokensMax);
  const sequenceCounts = new Int32Array(batchTokensMax).fill(1);
  const sequences = new Int32Array(batchTokensMax);
  const needsLogits = new Int8Array(batchTokensMax);
  const start = addressOf(sequences);
  const sequencePointers = BigUint64Array.from(sequences, (_, i) => start + BigInt(i * 4));
  let outputs = 0;
  return {
    outputCount: () => outputs,
    fill(items: readonly BatchToken[]) {
      outputs = 0;
      for (const [i, item] of items.entries()) {
        tokens[i] = item.token;
        positions[i] = item.position;
        sequences[i] = item.sequence;
        needsLogits[i] = item.needsLogits ? 1 : 0;
        if (item.needsLogits) outputs++;
      }
      return {
        n_tokens: items.length,
        token: addressOf(tokens),
        embd: null,
        pos: addressOf(positions),
        n_seq_id: addressOf(sequenceCounts),
        seq_id: addressOf(sequencePointers),
        logits: addressOf(needsLogits),
      };
    },
  };
}

/** A view over llama.cpp's own output buffer, made anew only when the buffer moved or grew. */
function createLogitsView(binding: LlamaBinding, context: Pointer, vocabularySize: number) {
  let address: Pointer | null = null;
  let rows = 0;
  let view: Float32Array = new Float32Array(0);
  return {
    refresh(outputCount: number): void {
      if (outputCount === 0) return;
      const current = binding.logits(context);
      if (current === null) throw new Error('llama.cpp returned no logits');
      if (current !== address || outputCount > rows) {
        address = current;
        rows = outputCount;
        view = viewFloats(current, rows * vocabularySize);
      }
    },
    row: (index: number): Float32Array => view.subarray(index * vocabularySize, (index + 1) * vocabularySize),
  };
}
