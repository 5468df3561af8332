/** Messages between the benchmark and the process that hosts node-llama-cpp. */
import type { JsonSchema } from '../../src/chat/types.ts';
import type { EngineOptions } from './engine-subject.ts';

export type PeerCommand =
  | { readonly type: 'load'; readonly options: EngineOptions }
  | {
      readonly type: 'generate';
      readonly id: number;
      readonly prompt: string;
      readonly tokensMax: number;
      readonly jsonSchema: JsonSchema | undefined;
    }
  | { readonly type: 'abort'; readonly id: number };

export type PeerAnswer =
  | { readonly type: 'loaded' }
  | { readonly type: 'output'; readonly id: number; readonly text: string }
  | {
      readonly type: 'end';
      readonly id: number;
      readonly completionTokens: number;
      readonly promptTokens: number;
      readonly cachedTokens: number;
    }
  /** Also after an abort, when the engine has really stopped. */
  | { readonly type: 'failed'; readonly id: number; readonly detail: string };
