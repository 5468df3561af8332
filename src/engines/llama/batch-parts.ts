/** What one decode consists of, and how it is written down for llama.cpp. */
import type { ActiveChoice, Generation } from './generation.ts';
import type { BatchToken } from './native-context.ts';

/** A part of the batch: one token of a choice, or a stretch of a prompt. */
export type Part =
  | { readonly type: 'decode'; readonly choice: ActiveChoice; readonly sequence: number }
  | {
      readonly type: 'prefill';
      readonly generation: Generation;
      readonly sequence: number;
      readonly count: number;
    };

export function encodeBatch(parts: readonly Part[]): BatchToken[] {
  const tokens: BatchToken[] = [];
  for (const part of parts) {
    const { sequence } = part;
    if (part.type === 'decode') {
      const { choice } = part;
      const position = choice.generation.prompt.length + choice.decoded.length;
      tokens.push({ token: choice.nextToken, position, sequence, needsLogits: true });
      continue;
    }
    const { prompt, computedTokens } = part.generation;
    for (let i = computedTokens; i < computedTokens + part.count; i++) {
      tokens.push({ token: prompt[i] ?? 0, position: i, sequence, needsLogits: i === prompt.length - 1 });
    }
  }
  return tokens;
}
