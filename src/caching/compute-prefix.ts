/** Has an engine compute what an object's prompts begin with. */
import type { ChatMessage, ChatRequest } from '../chat/types.ts';
import type { Engine, TurnContext } from '../engines/engine.ts';

export interface ComputedPrefix {
  readonly tokens: number;
  /** False: nothing is kept on disk, so a restart forgets it. */
  readonly isStored: boolean;
}

/** Tokens of the beginning alone. Throws ApiError as `Engine.prepare`. */
export async function countPrefix(
  engine: Engine,
  request: ChatRequest,
  context: TurnContext,
): Promise<number> {
  if (engine.prefixes !== undefined) return await engine.prefixes.count(request, context);
  const prepared = await engine.prepare(warmRequest(request), context);
  prepared.discard();
  return prepared.promptTokens;
}

/**
 * Pins the beginning under the object's id; an engine that pins nothing is sent it once, with a single token of
 * answer, so that its own cache holds it. Throws ApiError as `PreparedTurn.run`.
 */
export async function computePrefix(
  engine: Engine,
  object: { readonly id: string; readonly request: ChatRequest },
  context: TurnContext,
): Promise<ComputedPrefix> {
  const { id, request } = object;
  if (engine.prefixes !== undefined) return await engine.prefixes.pin(id, request, context);
  const prepared = await engine.prepare(warmRequest({ ...request, cacheHint: id }), context);
  let tokens = prepared.promptTokens;
  for await (const event of prepared.run({ outputTokensMax: 1, choices: [0], attempt: 0 })) {
    if (event.type === 'finish') tokens = event.usage.promptTokens;
  }
  return { tokens, isStored: false };
}

/** Servers answer users, so the shortest question is put behind what is to be cached. */
function warmRequest(request: ChatRequest): ChatRequest {
  const question: ChatMessage = { role: 'user', text: '.', name: undefined };
  return { ...request, messages: [...request.messages, question], outputTokensMax: 1 };
}
