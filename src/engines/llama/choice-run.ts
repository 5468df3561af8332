/** One choice of a generation after its prompt: from logits to tokens to output events. Knows no KV cache. */
import type { ConstraintState } from '../../grammar/constraint.ts';
import { createOutputText } from './output-text.ts';
import type { GenerationEvent, GenerationSpec } from './protocol.ts';
import { createSampler } from './sampler.ts';
import type { VocabularyView } from './vocabulary-view.ts';

export interface ChoiceRun {
  readonly choice: number;
  /**
   * Takes the logits of the last token and emits what they lead to.
   * @returns the token to decode next, or undefined when the choice has ended.
   */
  advance(logits: Float32Array): number | undefined;
}

export interface ChoiceRunOptions {
  readonly spec: GenerationSpec;
  readonly choice: number;
  readonly seed: number;
  readonly vocabulary: VocabularyView;
  readonly constraint: ConstraintState | undefined;
  readonly emit: (event: GenerationEvent) => void;
}

export function createChoiceRun(options: ChoiceRunOptions): ChoiceRun {
  const { spec, choice, vocabulary, emit } = options;
  const sampler = createSampler({
    temperature: spec.temperature,
    topP: spec.topP,
    presencePenalty: spec.presencePenalty,
    frequencyPenalty: spec.frequencyPenalty,
    seed: options.seed,
    topLogprobs: spec.topLogprobs,
    constraint: options.constraint,
    vocabulary,
    outputTokensMax: spec.outputTokensMax,
  });
  let isConstraining = false;
  // A stop string must not cut a tool call or a JSON answer in two.
  const output = createOutputText({ stop: spec.stop, vocabulary, isStopSuspended: () => isConstraining });
  let completionTokens = 0;

  const end = (reason: 'stop' | 'length', isCutByStopString: boolean): undefined => {
    // What is held back after a stop string is the stop string itself.
    const pieces = isCutByStopString ? [] : output.flush();
    if (pieces.length > 0) emit({ type: 'output', choice, pieces });
    emit({
      type: 'choice-end',
      choice,
      reason: sampler.isClosedByBudget ? 'length' : reason,
      completionTokens,
      isConstraintUnfinished: sampler.isConstraintUnfinished,
    });
    return undefined;
  };

  return {
    choice,
    advance(logits) {
      isConstraining = sampler.isConstraining;
      const sampled = sampler.sample(logits);
      sampler.accept(sampled.token);
      if (vocabulary.isEndOfGeneration(sampled.token)) return end('stop', false);
      completionTokens += 1;
      const { pieces, isStopped } = output.push(sampled);
      if (pieces.length > 0) emit({ type: 'output', choice, pieces });
      if (isStopped) return end('stop', true);
      if (sampler.isConstraintComplete) return end('stop', false);
      if (completionTokens >= spec.outputTokensMax) return end('length', false);
      return sampled.token;
    },
  };
}
