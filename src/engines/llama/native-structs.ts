/**
 * Shapes of llama.cpp v0.4.0 to v0.5.0 (`@node-llama-cpp` 3.21.1 to 3.22.1): `include/llama.h`, `ggml/include/ggml.h`.
 * The default values tell whether a library still has them; a wrong struct would corrupt memory.
 */
import koffi from 'koffi';

/** An address in native memory. */
export type Pointer = bigint;

/** Fields of `llama_model_params` that are written; the rest keeps the library's default. */
export interface ModelParams {
  n_gpu_layers: number;
  load_mode: number;
  progress_callback: Pointer | null;
  progress_callback_user_data: Pointer | null;
  check_tensors: boolean;
}

/** Fields of `llama_context_params` that are written or checked. */
export interface ContextParams {
  n_ctx: number;
  n_batch: number;
  n_ubatch: number;
  n_seq_max: number;
  n_outputs_max: number;
  n_threads: number;
  n_threads_batch: number;
  flash_attn_type: number;
  type_k: number;
  type_v: number;
  abort_callback: Pointer | null;
  abort_callback_data: Pointer | null;
  kv_unified: boolean;
  no_perf: boolean;
}

/** `llama_batch`: addresses of arrays that the caller keeps alive while a decode runs. */
export interface NativeBatch {
  n_tokens: number;
  token: Pointer;
  embd: null;
  pos: Pointer;
  n_seq_id: Pointer;
  seq_id: Pointer;
  logits: Pointer;
}

export interface ThreadPoolParams {
  n_threads: number;
  poll: number;
}

const pointer = 'void *';
const bool = 'bool';
const int = 'int32_t';
const uint = 'uint32_t';

export const modelParamsType = koffi.struct('llama_model_params', {
  devices: pointer,
  tensor_buft_overrides: pointer,
  n_gpu_layers: int,
  split_mode: int,
  load_mode: int,
  lazy_mode: int,
  main_gpu: int,
  tensor_split: pointer,
  progress_callback: pointer,
  progress_callback_user_data: pointer,
  kv_overrides: pointer,
  vocab_only: bool,
  check_tensors: bool,
  use_extra_bufts: bool,
  no_host: bool,
  no_alloc: bool,
  load_mtp: bool,
});

export const contextParamsType = koffi.struct('llama_context_params', {
  n_ctx: uint,
  n_batch: uint,
  n_ubatch: uint,
  n_seq_max: uint,
  n_rs_seq: uint,
  n_outputs_max: uint,
  n_outputs_max_per_seq: uint,
  n_threads: int,
  n_threads_batch: int,
  ctx_type: int,
  rope_scaling_type: int,
  pooling_type: int,
  attention_type: int,
  flash_attn_type: int,
  rope_freq_base: 'float',
  rope_freq_scale: 'float',
  yarn_ext_factor: 'float',
  yarn_attn_factor: 'float',
  yarn_beta_fast: 'float',
  yarn_beta_slow: 'float',
  yarn_orig_ctx: uint,
  defrag_thold: 'float',
  cb_eval: pointer,
  cb_eval_user_data: pointer,
  type_k: int,
  type_v: int,
  abort_callback: pointer,
  abort_callback_data: pointer,
  embeddings: bool,
  offload_kqv: bool,
  no_perf: bool,
  op_offload: bool,
  swa_full: bool,
  kv_unified: bool,
  samplers: pointer,
  n_samplers: 'size_t',
  ctx_other: pointer,
});

export const batchType = koffi.struct('llama_batch', {
  n_tokens: int,
  token: pointer,
  embd: pointer,
  pos: pointer,
  n_seq_id: pointer,
  seq_id: pointer,
  logits: pointer,
});

export const threadPoolParamsType = koffi.struct('ggml_threadpool_params', {
  cpumask: koffi.array('uint8_t', 512),
  n_threads: int,
  prio: int,
  poll: uint,
  strict_cpu: bool,
  paused: bool,
});

/** Default values of a library whose structs have the shape above. */
export const expectedContextDefaults = {
  n_ctx: 512,
  n_batch: 2048,
  n_ubatch: 512,
  n_seq_max: 1,
  n_outputs_max_per_seq: 1,
  rope_scaling_type: -1,
  pooling_type: -1,
  flash_attn_type: -1,
  rope_freq_base: 0,
  yarn_ext_factor: -1,
  defrag_thold: -1,
  type_k: 1,
  type_v: 1,
  embeddings: false,
  offload_kqv: true,
  no_perf: true,
  op_offload: true,
  swa_full: true,
  kv_unified: false,
  n_samplers: 0,
  ctx_other: null,
} as const;

export const expectedModelDefaults = {
  devices: null,
  n_gpu_layers: -1,
  split_mode: 1,
  load_mode: -1,
  main_gpu: 0,
  kv_overrides: null,
  vocab_only: false,
  check_tensors: false,
  use_extra_bufts: true,
  no_alloc: false,
  load_mtp: false,
} as const;
