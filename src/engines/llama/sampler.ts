/**
 * Chooses tokens from raw logits. Pure TypeScript in the engine's child process, exact, and the same everywhere
 * for the same seed: penalties, then the constraint, then `topP`, then temperature. Log probabilities are those
 * of the raw logits, before any of these.
 */
import type { ConstraintState } from '../../grammar/constraint.ts';
import { createBudgetGuard } from './sampling/budget-guard.ts';
import { createConstraintGate } from './sampling/constraint-gate.ts';
import { createPenalties } from './sampling/penalties.ts';
import { createRandom } from './sampling/random.ts';
import { measureDistribution, type RawLogprob } from './sampling/raw-logprob.ts';
import { chooseBest, createScratch, drawToken, type Scratch } from './sampling/token-choice.ts';
import type { VocabularyView } from './vocabulary-view.ts';

export type { RawLogprob };

export interface SampledToken {
  readonly token: number;
  /** Undefined when none were asked for. */
  readonly logprob: RawLogprob | undefined;
}

export interface SamplerOptions {
  /** 0 = always the likeliest token. */
  readonly temperature: number;
  readonly topP: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  /** Any integer. */
  readonly seed: number;
  /** Alternatives per token; undefined = no log probabilities. */
  readonly topLogprobs: number | undefined;
  readonly constraint: ConstraintState | undefined;
  readonly vocabulary: VocabularyView;
  readonly outputTokensMax: number;
}

/**
 * One answer's sampler. Per step: `sample` (changes nothing but the random sequence), then `accept` with the
 * token, also when it ends the generation.
 */
export interface Sampler {
  /** Throws an Error when the logits are not numbers or, against the grammar's promise, no token can follow. */
  sample(logits: Float32Array): SampledToken;
  accept(token: number): void;
  /** The grammar is at its end and nothing may follow: stop without another step, reason `stop` (see below). */
  readonly isConstraintComplete: boolean;
  /** A grammar is active and the output so far is not a whole sentence of it. */
  readonly isConstraintUnfinished: boolean;
  /** Inside a grammar's fixed part, as opposed to free text: stop strings must not cut it. */
  readonly isConstraining: boolean;
  /**
   * The budget forced the output to be closed early: the reason is `length`, even when the grammar is complete or
   * an end-of-generation token was returned. Not set when it only kept a further call from being begun.
   */
  readonly isClosedByBudget: boolean;
}

const scratchByVocabulary = new WeakMap<VocabularyView, Scratch>();

function findScratch(vocabulary: VocabularyView): Scratch {
  const known = scratchByVocabulary.get(vocabulary);
  if (known !== undefined) return known;
  const scratch = createScratch(vocabulary.size);
  scratchByVocabulary.set(vocabulary, scratch);
  return scratch;
}

export function createSampler(options: SamplerOptions): Sampler {
  const { vocabulary, temperature, topP, topLogprobs } = options;
  const scratch = findScratch(vocabulary);
  const random = createRandom(options.seed);
  const penalties = createPenalties({
    presence: options.presencePenalty,
    frequency: options.frequencyPenalty,
  });
  const gate =
    options.constraint === undefined ? undefined : createConstraintGate(options.constraint, vocabulary);
  const guard = gate === undefined ? undefined : createBudgetGuard(gate, vocabulary);
  let acceptedTokens = 0;

  const choose = (logits: Float32Array): number => {
    const penalised = penalties.apply(logits);
    try {
      return temperature === 0
        ? chooseBest(scratch, logits, gate)
        : drawToken(scratch, logits, gate, { temperature, topP, random });
    } finally {
      penalised.undo();
    }
  };
  const chooseWithinBudget = (logits: Float32Array): number => {
    const forced = guard?.nextForced();
    if (forced !== undefined) return forced;
    const chosen = choose(logits);
    if (guard === undefined) return chosen;
    return guard.review(chosen, options.outputTokensMax - acceptedTokens) ?? findEnd(vocabulary) ?? chosen;
  };

  return {
    sample(logits) {
      const distribution =
        topLogprobs === undefined ? undefined : measureDistribution(scratch.scan, logits, topLogprobs);
      const token = chooseWithinBudget(logits);
      return { token, logprob: distribution?.of(token) };
    },
    accept(token) {
      acceptedTokens++;
      penalties.count(token);
      gate?.accept(token);
    },
    get isConstraintComplete() {
      return gate?.state.mustEnd ?? false;
    },
    get isConstraintUnfinished() {
      return gate !== undefined && !gate.state.canEnd;
    },
    get isConstraining() {
      return gate?.state.isConstraining ?? false;
    },
    get isClosedByBudget() {
      return guard?.isClosing ?? false;
    },
  };
}

const endByVocabulary = new WeakMap<VocabularyView, number>();

/** Some token that ends a generation; undefined when the vocabulary has none. */
function findEnd(vocabulary: VocabularyView): number | undefined {
  const known = endByVocabulary.get(vocabulary);
  if (known !== undefined) return known;
  for (let token = 0; token < vocabulary.size; token++) {
    if (!vocabulary.isEndOfGeneration(token)) continue;
    endByVocabulary.set(vocabulary, token);
    return token;
  }
  return undefined;
}
