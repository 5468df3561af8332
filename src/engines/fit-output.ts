/** How much of a model's window an answer may take: one rule for every engine that counts prompts exactly. */
import type { ChatRequest } from '../chat/types.ts';
import { ApiError } from '../errors.ts';

interface OutputLimits {
  /** Longest prompt and output together. */
  readonly windowTokens: number;
  /** Where the request names no length. */
  readonly outputTokensDefault: number;
}

/**
 * Output tokens per choice: what the request asks for, or the default as far as the window has room. Throws ApiError
 * `context_length_exceeded` when prompt and requested output do not fit together, as Moonshot does (protocol 1.1).
 */
export function fitOutput(request: ChatRequest, promptTokens: number, limits: OutputLimits): number {
  const { windowTokens, outputTokensDefault } = limits;
  const { outputTokensMax } = request;
  const roomTokens = windowTokens - promptTokens;
  if (roomTokens < 1) {
    const requested = promptTokens + (outputTokensMax ?? 0);
    throw windowExceeded({ windowTokens, requested, advice: `The prompt has ${promptTokens} tokens.` });
  }
  if (outputTokensMax === undefined) return Math.min(outputTokensDefault, roomTokens);
  if (outputTokensMax <= roomTokens) return outputTokensMax;
  throw windowExceeded({
    windowTokens,
    requested: promptTokens + outputTokensMax,
    advice: `The prompt has ${promptTokens} tokens, so max_tokens may be at most ${roomTokens}.`,
    param: 'max_tokens',
  });
}

interface ExcessToDescribe {
  readonly windowTokens: number;
  /** Tokens of the prompt and of the output that was asked for. */
  readonly requested: number | string;
  /** A sentence. */
  readonly advice?: string;
  /** Default: `messages`. */
  readonly param?: string;
}

/** In Moonshot's words, by which clients know it. */
export function windowExceeded(excess: ExcessToDescribe): ApiError {
  const { windowTokens, requested, advice, param = 'messages' } = excess;
  const text = `Invalid request: Your request exceeded model token limit: ${windowTokens} (requested: ${requested})`;
  return new ApiError('context_length_exceeded', {
    message: advice === undefined ? text : `${text}. ${advice}`,
    param,
  });
}
