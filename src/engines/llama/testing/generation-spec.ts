import type { GenerationSpec } from '../protocol.ts';

/** One greedy choice without a seed's influence, stop strings or grammar; short to vary. */
export const greedySpec: GenerationSpec = {
  promptId: 0,
  tenant: 'one',
  choices: [{ choice: 0, seed: 1 }],
  temperature: 0,
  topP: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  stop: [],
  outputTokensMax: 8,
  topLogprobs: undefined,
  grammar: undefined,
  isDeterministic: false,
};
