import type { ServedModel } from '../../engines/registry.ts';

/** What every chunk of an answer repeats. */
export interface CompletionIdentity {
  /** The inference id. */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** Wire name of the model. */
  readonly model: string;
  /** Names the weights that answered. */
  readonly systemFingerprint: string;
}

export function identifyCompletion(
  inferenceId: string,
  nowMs: number,
  model: ServedModel,
): CompletionIdentity {
  return {
    id: inferenceId,
    created: Math.floor(nowMs / 1000),
    model: model.wireName,
    systemFingerprint: `fpv0_${model.engine.backing().digest}`,
  };
}
