import type { Engine, TurnContext } from '../engines/engine.ts';
import { refuseBuiltinTools } from './run-chat.ts';
import type { ChatRequest } from './types.ts';

/**
 * Tokens of a prompt as the engine itself renders and counts them; nothing is generated, and what the engine keeps
 * of the prompt is released. Throws ApiError as `Engine.prepare` does, and `not_supported` for builtin tools.
 */
export async function countPromptTokens(
  request: ChatRequest,
  engine: Engine,
  context: TurnContext,
): Promise<number> {
  refuseBuiltinTools(request);
  const counted = new AbortController();
  try {
    const signal = AbortSignal.any([context.signal, counted.signal]);
    const { promptTokens } = await engine.prepare(request, { ...context, signal });
    return promptTokens;
  } finally {
    // A prepared turn that is never run is given up by its signal.
    counted.abort();
  }
}
