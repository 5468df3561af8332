import { describe, expect, it } from 'vitest';
import type { ConstraintState } from '../../grammar/constraint.ts';
import { createSampler, type SamplerOptions } from './sampler.ts';
import { allowSentences, createToyVocabulary, type ToyVocabulary } from './testing/toy-vocabulary.ts';

const letters = createToyVocabulary(['a', 'b', 'c', 'd', 'e', 'f']);
const letterLogits = { a: 2, b: 1.5, c: 1, d: 0.2, e: -1, f: -3 };

function sampler(vocabulary: ToyVocabulary, changes: Partial<SamplerOptions> = {}) {
  return createSampler({
    temperature: 1,
    topP: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    seed: 1,
    topLogprobs: undefined,
    constraint: undefined,
    outputTokensMax: 1000,
    vocabulary,
    ...changes,
  });
}

/** Draws many first tokens and counts them by text. */
function countDraws(
  vocabulary: ToyVocabulary,
  logits: Readonly<Record<string, number>>,
  changes: Partial<SamplerOptions>,
  draws: number,
): Map<number, number> {
  const counts = new Map<number, number>();
  const drawing = sampler(vocabulary, changes);
  const row = vocabulary.row(logits);
  for (let draw = 0; draw < draws; draw++) {
    const { token } = drawing.sample(row);
    counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  return counts;
}

/** Weights after temperature, normalised. */
function softmax(logits: Readonly<Record<string, number>>, temperature = 1): Record<string, number> {
  const weights = Object.entries(logits).map(
    ([text, logit]) => [text, Math.exp(logit / temperature)] as const,
  );
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  return Object.fromEntries(weights.map(([text, weight]) => [text, weight / total]));
}

/** Pearson's statistic; the seeds are fixed, so a bound holds or fails for good. */
function chiSquare(
  vocabulary: ToyVocabulary,
  counts: ReadonlyMap<number, number>,
  expected: Readonly<Record<string, number>>,
): number {
  const draws = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const known = new Set(Object.keys(expected).map((text) => vocabulary.id(text)));
  for (const token of counts.keys()) if (!known.has(token)) return Number.POSITIVE_INFINITY;
  return Object.entries(expected).reduce((sum, [text, share]) => {
    const difference = (counts.get(vocabulary.id(text)) ?? 0) - share * draws;
    return sum + difference ** 2 / (share * draws);
  }, 0);
}

describe('drawing', () => {
  it.each([0.5, 1, 2])('follows the probabilities at temperature %f', (temperature) => {
    const counts = countDraws(letters, letterLogits, { temperature }, 50_000);
    // 99.9 % of fair draws stay below 20.5 with five degrees of freedom.
    expect(chiSquare(letters, counts, softmax(letterLogits, temperature))).toBeLessThan(20.5);
  });

  it('gives the same tokens for the same seed and others for another', () => {
    const draw = (seed: number) => {
      const drawing = sampler(letters, { seed });
      const row = letters.row(letterLogits);
      return Array.from({ length: 40 }, () => drawing.sample(row).token);
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
    expect(draw(-(2 ** 40))).toEqual(draw(-(2 ** 40)));
  });

  it('at temperature 0 takes the likeliest, of equals the lowest number', () => {
    const greedy = sampler(letters, { temperature: 0 });
    expect(greedy.sample(letters.row(letterLogits)).token).toBe(letters.id('a'));
    expect(greedy.sample(letters.row({ d: 1, b: 1, c: 0 })).token).toBe(letters.id('b'));
  });

  it('works over a vocabulary of many blocks', () => {
    const words = Array.from({ length: 1000 }, (_, index) => `w${index}`);
    const many = createToyVocabulary(words);
    const logits = { w3: 1, w64: 2, w500: 1.5, w999: 0 };
    expect(chiSquare(many, countDraws(many, logits, {}, 50_000), softmax(logits))).toBeLessThan(16.3);
  });
});

describe('top_p', () => {
  it('keeps the fewest tokens that reach the mass, and their proportions', () => {
    // Shares: a 0.426, b 0.259, c 0.157, d 0.071 ...: 0.8 needs a, b and c.
    const counts = countDraws(letters, letterLogits, { topP: 0.8 }, 50_000);
    expect(chiSquare(letters, counts, softmax({ a: 2, b: 1.5, c: 1 }))).toBeLessThan(13.8);
  });

  it('keeps one token when it alone reaches the mass, and never less', () => {
    expect([...countDraws(letters, letterLogits, { topP: 0.4 }, 500).keys()]).toEqual([letters.id('a')]);
    expect([...countDraws(letters, letterLogits, { topP: 1e-9 }, 500).keys()]).toEqual([letters.id('a')]);
  });

  it('takes of equal tokens those with the lowest numbers', () => {
    const equal = { a: 0, b: 0, c: 0, d: 0 };
    const kept = [...countDraws(letters, equal, { topP: 0.5 }, 500).keys()].sort();
    expect(kept).toEqual([letters.id('a'), letters.id('b')]);
  });
});

describe('penalties', () => {
  it('subtract presence once and frequency per occurrence, and leave the row as it was', () => {
    const greedy = sampler(letters, { temperature: 0, presencePenalty: 0.3, frequencyPenalty: 0.2 });
    const row = letters.row(letterLogits);
    const texts = Array.from({ length: 6 }, () => {
      const { token } = greedy.sample(row);
      greedy.accept(token);
      return 'abcdef'[token];
    });
    // a: 2, 1.5, 1.3 …; b: 1.5, 1, 0.8 …; c: 1, 0.5. Of equals the lower number.
    expect(texts).toEqual(['a', 'a', 'b', 'a', 'a', 'b']);
    expect(row).toEqual(letters.row(letterLogits));
  });

  it('that are negative favour repetition', () => {
    const greedy = sampler(letters, { temperature: 0, presencePenalty: -2 });
    greedy.accept(letters.id('d'));
    expect(greedy.sample(letters.row(letterLogits)).token).toBe(letters.id('d'));
  });

  it('do not change log probabilities, which are those of the raw output', () => {
    const biased = sampler(letters, { presencePenalty: 2, topLogprobs: 3, topP: 0.1 });
    biased.accept(letters.id('a'));
    const { token, logprob } = biased.sample(letters.row(letterLogits));
    const raw = softmax(letterLogits);
    expect(token).toBe(letters.id('b'));
    expect(logprob?.logprob).toBeCloseTo(Math.log(raw.b ?? 0), 5);
    expect(logprob?.top.map((entry) => entry.token)).toEqual(['a', 'b', 'c'].map(letters.id));
    expect(logprob?.top[0]?.logprob).toBeCloseTo(Math.log(raw.a ?? 0), 5);
  });
});

describe('log probabilities', () => {
  it('are given for as many alternatives as there are', () => {
    const { logprob } = sampler(letters, { topLogprobs: 20, temperature: 0 }).sample(
      letters.row(letterLogits),
    );
    expect(logprob?.top).toHaveLength(6);
    expect(sampler(letters, { topLogprobs: 0 }).sample(letters.row(letterLogits)).logprob?.top).toEqual([]);
  });
});

describe('broken logits', () => {
  it.each([
    ['NaN', { a: Number.NaN, b: 1 }],
    ['NaN behind a higher value', { a: 5, b: Number.NaN }],
    ['+∞', { a: Number.POSITIVE_INFINITY }],
    ['nothing above −∞', {}],
  ])('are an error that says so: %s', (_name, logits) => {
    for (const temperature of [0, 1]) {
      expect(() => sampler(letters, { temperature }).sample(letters.row(logits))).toThrow(/logit/);
    }
  });

  it('of a wrong length are an error', () => {
    expect(() => sampler(letters).sample(new Float32Array(3))).toThrow('7 values, not 3');
  });
});

/** Two hundred words, most of them likelier than the few that the constraint allows. */
const manyWords = Array.from({ length: 200 }, (_, index) => `n${index};`);
const wide = createToyVocabulary([...manyWords, 'x', 'y', 'z']);

function wideLogits(): Record<string, number> {
  const logits: Record<string, number> = { x: 0.5, y: 0, z: -1, '<end>': 3 };
  for (const [index, word] of manyWords.entries()) logits[word] = 4 + (index % 7) / 10;
  return logits;
}

describe('a constraint', () => {
  it.each([true, false])('renormalises over allowed tokens exactly (states with keys: %s)', (hasKeys) => {
    const constraint = allowSentences(['x', 'yy', 'z'], hasKeys);
    const counts = countDraws(wide, wideLogits(), { constraint }, 5_000);
    expect(chiSquare(wide, counts, softmax({ x: 0.5, y: 0, z: -1 }))).toBeLessThan(13.8);
  });

  it('restricts the nucleus when it holds allowed tokens', () => {
    const constraint = allowSentences(['b', 'd', 'f']);
    // The nucleus of 0.95 is a … d.
    const counts = countDraws(letters, letterLogits, { constraint, topP: 0.95 }, 5_000);
    expect(chiSquare(letters, counts, softmax({ b: 1.5, d: 0.2 }))).toBeLessThan(10.8);
  });

  it('takes the nucleus of the allowed tokens when the whole nucleus is refused', () => {
    const constraint = allowSentences(['x', 'y', 'z']);
    // Of the allowed ones x has 0.55 and y 0.33, so 0.8 keeps x and y.
    const counts = countDraws(wide, wideLogits(), { constraint, topP: 0.8 }, 5_000);
    expect(chiSquare(wide, counts, softmax({ x: 0.5, y: 0 }))).toBeLessThan(10.8);
  });

  it('finds allowed tokens that are too unlikely to be counted at all', () => {
    const constraint = allowSentences(['x', 'y']);
    const logits = { ...wideLogits(), x: -60, y: -60.5 };
    const counts = countDraws(wide, logits, { constraint }, 5_000);
    expect(chiSquare(wide, counts, softmax({ x: 0, y: -0.5 }))).toBeLessThan(10.8);
  });

  it('is kept at temperature 0, and the row stays as it was', () => {
    for (const constraint of [allowSentences(['y', 'z']), allowSentences([`n0;x`, 'z'])]) {
      const row = wide.row(wideLogits());
      const token = sampler(wide, { temperature: 0, constraint }).sample(row).token;
      expect(token).toBe(constraint.advance(Buffer.from('y')) === null ? wide.id('n0;') : wide.id('y'));
      expect(row).toEqual(wide.row(wideLogits()));
    }
  });

  it('lets the answer end only where it is whole', () => {
    const constraint = allowSentences(['x', 'xy']);
    const greedy = sampler(wide, { temperature: 0, constraint });
    const eager = wide.row({ '<end>': 9, x: 1, y: 0 });
    const first = greedy.sample(eager).token;
    expect(first).toBe(wide.id('x'));
    expect(greedy.isConstraintUnfinished).toBe(true);
    greedy.accept(first);
    expect([greedy.isConstraintUnfinished, greedy.isConstraintComplete]).toEqual([false, false]);
    expect(greedy.sample(eager).token).toBe(wide.id('<end>'));
    greedy.accept(wide.id('y'));
    expect(greedy.isConstraintComplete).toBe(true);
  });

  it('allows control tokens only where it names them', () => {
    const marked = createToyVocabulary(['x'], ['<call>', '<other>', '<end>']);
    const greedy = sampler(marked, { temperature: 0, constraint: allowSentences(['«<call>»x']) });
    expect(greedy.sample(marked.row({ '<other>': 5, x: 4, '<end>': 3, '<call>': 1 })).token).toBe(
      marked.id('<call>'),
    );
  });

  it('refuses a token that cannot follow', () => {
    const gated = sampler(wide, { constraint: allowSentences(['x']) });
    expect(() => gated.accept(wide.id('y'))).toThrow('cannot follow');
  });
});

describe('a budget', () => {
  const json = createToyVocabulary([...'{}[]":,abc0123', 'long'], ['<end>', '<call>', '<done>']);
  const run = (constraint: ConstraintState, row: Float32Array, outputTokensMax: number) => {
    const drawing = sampler(json, { temperature: 0, constraint, outputTokensMax });
    let text = '';
    let count = 0;
    while (count < outputTokensMax && !drawing.isConstraintComplete) {
      const { token } = drawing.sample(row);
      drawing.accept(token);
      if (json.isEndOfGeneration(token)) break;
      count++;
      text += json.isControl(token)
        ? json.controlText(token)
        : Buffer.from(json.tokenBytes(token)).toString();
    }
    return { text, count, isClosed: drawing.isClosedByBudget, isUnfinished: drawing.isConstraintUnfinished };
  };
  const lists = Array.from({ length: 40 }, (_, length) => `[${'a'.repeat(length)}]`);

  it('is kept by closing the value with the last tokens', () => {
    const neverEnding = json.row({ a: 5, '[': 1, ']': 0 });
    expect(run(allowSentences(lists), neverEnding, 8)).toEqual({
      text: '[aaaaaa]',
      count: 8,
      isClosed: true,
      isUnfinished: false,
    });
  });

  it('is not touched when the answer fits', () => {
    const short = json.row({ a: 0, '[': 1, ']': 5 });
    expect(run(allowSentences(lists), short, 8)).toMatchObject({ text: '[]', isClosed: false });
  });

  it('that is too small from the start ends unfinished', () => {
    expect(run(allowSentences(['[aaaaaaaa]']), json.row({ a: 1, '[': 1, ']': 1 }), 4)).toEqual({
      text: '[aaa',
      count: 4,
      isClosed: false,
      isUnfinished: true,
    });
  });

  it('closes with control tokens where the sentence ends with one', () => {
    const sentences = lists.map((list) => `«<call>»${list}«<done>»`);
    const row = json.row({ a: 5, '[': 1, ']': 0, '<call>': 1, '<done>': 0 });
    expect(run(allowSentences(sentences), row, 7)).toMatchObject({
      text: '<call>[aaa]<done>',
      isClosed: true,
    });
  });

  it('ends a whole answer rather than begin a part that cannot be finished', () => {
    const constraint = allowSentences(['[a]', '[a][bbbbbbbb]']);
    const eager = json.row({ '[': 5, a: 4, ']': 3, b: 2, '<end>': 0 });
    expect(run(constraint, eager, 3)).toMatchObject({ text: '[a]', isUnfinished: false });
    expect(run(constraint, eager, 8)).toEqual({
      text: '[a]',
      count: 3,
      isClosed: false,
      isUnfinished: false,
    });
    expect(run(constraint, eager, 13)).toMatchObject({ text: '[a][bbbbbbbb]', isClosed: false });
  });
});
