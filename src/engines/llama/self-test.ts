/** Sixteen tokens through the freshly loaded model: wrong structs or a broken CPU variant show here, not in answers. */
import type { NativeContext } from './native-context.ts';

const testTokens = 16;

/** @throws Error when the logits are no numbers, all alike, or differ between one batch and two. */
export async function runSelfTest(context: NativeContext, vocabularySize: number): Promise<void> {
  const tokens = Array.from({ length: testTokens }, (_, i) => (100 + i * 37) % vocabularySize);
  const whole = await likeliestAfter(context, tokens, [testTokens]);
  const halves = await likeliestAfter(context, tokens, [testTokens / 2, testTokens / 2]);
  if (Math.abs(whole.logit - halves.logit) > 0.05 * Math.max(1, Math.abs(whole.logit))) {
    throw new Error(
      `The self-test of llama.cpp failed: ${whole.logit} in one batch, ${halves.logit} in two. Run \`npm ci\` to install the pinned libraries.`,
    );
  }
}

async function likeliestAfter(
  context: NativeContext,
  tokens: readonly number[],
  batchSizes: readonly number[],
): Promise<{ logit: number }> {
  context.clear();
  let start = 0;
  for (const size of batchSizes) {
    const batch = tokens.slice(start, start + size).map((token, i) => ({
      token,
      position: start + i,
      sequence: 0,
      needsLogits: start + i === tokens.length - 1,
    }));
    const result = await context.decode(batch);
    if (result !== 'done') throw new Error(`The self-test of llama.cpp failed: decode ended with ${result}.`);
    start += size;
  }
  const logits = context.logits(0);
  let best = Number.NEGATIVE_INFINITY;
  let worst = Number.POSITIVE_INFINITY;
  for (const logit of logits) {
    if (!Number.isFinite(logit)) throw new Error('The self-test of llama.cpp failed: a logit is no number.');
    if (logit > best) best = logit;
    if (logit < worst) worst = logit;
  }
  if (best === worst) throw new Error('The self-test of llama.cpp failed: all logits are the same.');
  context.clear();
  return { logit: best };
}
