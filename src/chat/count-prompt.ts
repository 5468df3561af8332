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
  const prepared = await engine.prepare(request, context);
  prepared.discard();
  return prepared.promptTokens;
}
