/**
 * The C functions of libllama that the engine uses, and nothing else: no policy, no state. A library
 * whose structs have another shape than `native-structs.ts` is refused here. Loaded only in the engine's child process.
 */
import koffi, { type KoffiFunc, type LibraryHandle, type TypeObject } from 'koffi';
import { findNativeLibrary } from './native-library.ts';
import {
  batchType,
  type ContextParams,
  contextParamsType,
  expectedContextDefaults,
  expectedModelDefaults,
  type ModelParams,
  modelParamsType,
  type NativeBatch,
  type Pointer,
  type ThreadPoolParams,
  threadPoolParamsType,
} from './native-structs.ts';

const pointer = 'void *';
const bool = 'bool';
const int = 'int32_t';
const uint = 'uint32_t';
const size = 'size_t';

type Callback<Result> = (error: Error | null, result: Result) => void;

export type LlamaBinding = ReturnType<typeof loadBinding>;

/**
 * Loads libllama and checks that it has the shape this file was written for.
 * @throws Error that says what to do.
 */
export function loadBinding() {
  // Native code runs on koffi's own stacks: the default of 128 KiB is too small for the tokenizer's regular expressions.
  koffi.config({ sync_stack_size: 8 << 20, async_stack_size: 16 << 20, resident_async_pools: 3 });
  const paths = findNativeLibrary();
  const ggmlBase = koffi.load(paths.ggmlBase, { global: true });
  const ggml = koffi.load(paths.ggml, { global: true });
  const llama = koffi.load(paths.llama, { global: true });
  const functions = {
    ...bindModel(llama),
    ...bindContext(llama),
    ...bindVocabulary(llama),
    ...bindBackend(ggml, ggmlBase),
  };
  checkDefaults('llama_context_params', functions.contextDefaultParams(), expectedContextDefaults);
  checkDefaults('llama_model_params', functions.modelDefaultParams(), expectedModelDefaults);
  functions.backendLoadAll(paths.folder);
  functions.backendInit();
  return { ...functions, createThreadPool: bindThreadPool(functions) };
}

/** koffi types its functions as `any`; the declared C prototype beside each call is what makes the cast true. */
function bind<F extends (...parameters: never[]) => unknown>(
  library: LibraryHandle,
  name: string,
  result: string | TypeObject,
  parameters: (string | TypeObject)[],
): KoffiFunc<F> {
  return library.func(name, result, parameters) as KoffiFunc<F>;
}

function bindModel(llama: LibraryHandle) {
  return {
    backendInit: bind<() => void>(llama, 'llama_backend_init', 'void', []),
    modelDefaultParams: bind<() => ModelParams>(llama, 'llama_model_default_params', modelParamsType, []),
    modelLoad: bind<(path: string, params: ModelParams) => Pointer | null>(
      llama,
      'llama_model_load_from_file',
      pointer,
      ['str', modelParamsType],
    ),
    modelVocabulary: bind<(model: Pointer) => Pointer>(llama, 'llama_model_get_vocab', pointer, [pointer]),
    modelContextTrained: bind<(model: Pointer) => number>(llama, 'llama_model_n_ctx_train', int, [pointer]),
    modelSize: bind<(model: Pointer) => number>(llama, 'llama_model_size', 'uint64_t', [pointer]),
    modelParameterCount: bind<(model: Pointer) => number>(llama, 'llama_model_n_params', 'uint64_t', [
      pointer,
    ]),
    modelIsRecurrent: bind<(model: Pointer) => boolean>(llama, 'llama_model_is_recurrent', bool, [pointer]),
    modelIsHybrid: bind<(model: Pointer) => boolean>(llama, 'llama_model_is_hybrid', bool, [pointer]),
    modelIsDiffusion: bind<(model: Pointer) => boolean>(llama, 'llama_model_is_diffusion', bool, [pointer]),
  };
}

function bindContext(llama: LibraryHandle) {
  return {
    contextDefaultParams: bind<() => ContextParams>(
      llama,
      'llama_context_default_params',
      contextParamsType,
      [],
    ),
    contextCreate: bind<(model: Pointer, params: ContextParams) => Pointer | null>(
      llama,
      'llama_init_from_model',
      pointer,
      [pointer, contextParamsType],
    ),
    contextCells: bind<(context: Pointer) => number>(llama, 'llama_n_ctx', uint, [pointer]),
    contextMemory: bind<(context: Pointer) => Pointer>(llama, 'llama_get_memory', pointer, [pointer]),
    attachThreadPool: bind<(context: Pointer, decode: Pointer, batch: Pointer) => void>(
      llama,
      'llama_attach_threadpool',
      'void',
      [pointer, pointer, pointer],
    ),
    setThreads: bind<(context: Pointer, decode: number, batch: number) => void>(
      llama,
      'llama_set_n_threads',
      'void',
      [pointer, int, int],
    ),
    decode: bind<(context: Pointer, batch: NativeBatch) => number>(llama, 'llama_decode', int, [
      pointer,
      batchType,
    ]),
    logits: bind<(context: Pointer) => Pointer | null>(llama, 'llama_get_logits', pointer, [pointer]),
    stateSize: bind<(context: Pointer, sequence: number) => number | bigint>(
      llama,
      'llama_state_seq_get_size',
      size,
      [pointer, int],
    ),
    stateSave: bind<
      (context: Pointer, path: string, sequence: number, tokens: Int32Array, count: number) => number | bigint
    >(llama, 'llama_state_seq_save_file', size, [pointer, 'str', int, pointer, size]),
    stateLoad: bind<
      (
        context: Pointer,
        path: string,
        sequence: number,
        tokens: Int32Array,
        tokensMax: number,
        count: BigUint64Array,
      ) => number | bigint
    >(llama, 'llama_state_seq_load_file', size, [pointer, 'str', int, pointer, size, pointer]),
    memoryClear: bind<(memory: Pointer, clearsData: boolean) => void>(llama, 'llama_memory_clear', 'void', [
      pointer,
      bool,
    ]),
    sequenceRemove: bind<(memory: Pointer, sequence: number, start: number, end: number) => boolean>(
      llama,
      'llama_memory_seq_rm',
      bool,
      [pointer, int, int, int],
    ),
    sequenceCopy: bind<(memory: Pointer, source: number, target: number, start: number, end: number) => void>(
      llama,
      'llama_memory_seq_cp',
      'void',
      [pointer, int, int, int, int],
    ),
  };
}

function bindVocabulary(llama: LibraryHandle) {
  const tokenOf = (name: string) => bind<(vocabulary: Pointer) => number>(llama, name, int, [pointer]);
  return {
    vocabularySize: tokenOf('llama_vocab_n_tokens'),
    vocabularyBos: tokenOf('llama_vocab_bos'),
    vocabularyEos: tokenOf('llama_vocab_eos'),
    vocabularyAddsBos: bind<(vocabulary: Pointer) => boolean>(llama, 'llama_vocab_get_add_bos', bool, [
      pointer,
    ]),
    tokenText: bind<(vocabulary: Pointer, token: number) => string | null>(
      llama,
      'llama_vocab_get_text',
      'str',
      [pointer, int],
    ),
    tokenAttributes: bind<(vocabulary: Pointer, token: number) => number>(
      llama,
      'llama_vocab_get_attr',
      int,
      [pointer, int],
    ),
    tokenEndsGeneration: bind<(vocabulary: Pointer, token: number) => boolean>(
      llama,
      'llama_vocab_is_eog',
      bool,
      [pointer, int],
    ),
    tokenToPiece: bind<
      (
        vocabulary: Pointer,
        token: number,
        buffer: Uint8Array,
        length: number,
        leftStrip: number,
        special: boolean,
      ) => number
    >(llama, 'llama_token_to_piece', int, [pointer, int, pointer, int, int, bool]),
    tokenize: bind<
      (
        vocabulary: Pointer,
        text: Uint8Array,
        length: number,
        tokens: Int32Array,
        tokensMax: number,
        addSpecial: boolean,
        parseSpecial: boolean,
      ) => number
    >(llama, 'llama_tokenize', int, [pointer, pointer, int, pointer, int, bool, bool]),
  };
}

function bindBackend(ggml: LibraryHandle, ggmlBase: LibraryHandle) {
  return {
    backendLoadAll: bind<(folder: string) => void>(ggml, 'ggml_backend_load_all_from_path', 'void', ['str']),
    backendByName: bind<(name: string) => Pointer | null>(ggml, 'ggml_backend_reg_by_name', pointer, ['str']),
    backendFunction: bind<(backend: Pointer, name: string) => Pointer | null>(
      ggmlBase,
      'ggml_backend_reg_get_proc_address',
      pointer,
      [pointer, 'str'],
    ),
    threadPoolParamsInit: bind<(params: Pointer | Uint8Array, threads: number) => void>(
      ggmlBase,
      'ggml_threadpool_params_init',
      'void',
      [pointer, int],
    ),
  };
}

/** The functions of the CPU variant that ggml picked are found through its registry, not by file name. */
function bindThreadPool(functions: ReturnType<typeof bindBackend>) {
  const backend = functions.backendByName('CPU');
  const address = backend === null ? null : functions.backendFunction(backend, 'ggml_threadpool_new');
  if (address === null) {
    throw new Error('The llama.cpp libraries have no CPU backend for this machine; run `npm ci` again.');
  }
  const prototype = koffi.proto('ggml_threadpool_new_type', pointer, [koffi.pointer(threadPoolParamsType)]);
  /** Threads that sleep between decodes (poll 0) and live as long as the process. */
  return (threads: number): Pointer | null => {
    const bytes = new Uint8Array(koffi.sizeof(threadPoolParamsType));
    functions.threadPoolParamsInit(bytes, threads);
    const params = koffi.decode(bytes, threadPoolParamsType) as ThreadPoolParams;
    if (params.n_threads !== threads) {
      throw new Error('The llama.cpp libraries have an unknown ggml_threadpool_params; run `npm ci` again.');
    }
    return koffi.call(address, prototype, { ...params, poll: 0 }) as Pointer | null;
  };
}

function checkDefaults(name: string, actual: object, expected: Readonly<Record<string, unknown>>): void {
  const values = new Map(Object.entries(actual));
  for (const [field, value] of Object.entries(expected)) {
    if ((values.get(field) ?? null) !== value) {
      throw new Error(
        `The installed llama.cpp libraries do not fit this version: ${name}.${field} is ${String(values.get(field))}, expected ${String(value)}. Run \`npm ci\` to install the pinned versions.`,
      );
    }
  }
}

/** A view of native memory, without a copy. Valid as long as the native side keeps the memory. */
export function viewFloats(address: Pointer, count: number): Float32Array {
  return new Float32Array(koffi.view(address, count * Float32Array.BYTES_PER_ELEMENT));
}

/** The address of a typed array's memory; its ArrayBuffer must outlive every native use. */
export function addressOf(array: ArrayBufferView): Pointer {
  return koffi.address(array);
}

/** Address of C's `strlen`: see `abort-flag.ts`. */
export function strlenAddress(): Pointer {
  const name =
    process.platform === 'darwin'
      ? 'libSystem.B.dylib'
      : process.platform === 'win32'
        ? 'ucrtbase.dll'
        : 'libc.so.6';
  return koffi.load(name).symbol('strlen') as Pointer;
}

/** Runs a bound function on a worker thread, so that this thread stays free. */
export function callAsync<P extends unknown[], R>(
  bound: KoffiFunc<(...parameters: P) => R>,
  ...parameters: P
): Promise<R> {
  return new Promise((resolve, reject) => {
    const callback: Callback<R> = (error, result) => (error === null ? resolve(result) : reject(error));
    bound.async(...parameters, callback);
  });
}
