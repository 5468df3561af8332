/** Prefixes that are computed once and kept on disk by name, for context-cache objects. */
import type { ChatMessage, ChatRequest } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { EnginePrefixes, TurnContext } from '../engine.ts';
import { windowExceeded } from '../fit-output.ts';
import { holdPrompt } from './held-prompt.ts';
import type { LlamaHost } from './llama-host.ts';
import type { GenerationSpec, PromptPiece } from './protocol.ts';

export interface LlamaPrefixesOptions {
  readonly host: LlamaHost;
  /** Throws ApiError as `Engine.prepare` does. */
  readonly render: (request: ChatRequest) => PromptPiece[];
  /** Longest prompt and output. */
  readonly windowTokens: () => number;
}

/** Between computing and saving others may have needed the room, or computed so much that it was moved away. */
const savesMax = 3;

export function createLlamaPrefixes(options: LlamaPrefixesOptions): EnginePrefixes {
  const { host } = options;
  const hold = async (request: ChatRequest, signal: AbortSignal) => {
    const prompt = await holdPrompt(host, commonPieces(options.render, request), signal);
    const windowTokens = options.windowTokens();
    if (prompt.tokenCount < windowTokens) return prompt;
    prompt.release();
    throw windowExceeded({ windowTokens, requested: prompt.tokenCount + 1 });
  };

  return {
    has: (name) => host.pinnedPrefixes.has(name),
    list: () => [...host.pinnedPrefixes],
    drop: (name) => host.unpin(name),
    async count(request, context) {
      const prompt = await hold(request, context.signal);
      prompt.release();
      return prompt.tokenCount;
    },
    async pin(name, request, context) {
      let tokens = 0;
      for (let save = 0; save < savesMax; save++) {
        const computed = await hold(request, context.signal);
        tokens = computed.tokenCount;
        // Ready before the prefix is: what idles beside others that compute is soon moved away.
        const saved = await hold(request, context.signal);
        try {
          await compute(host, await computed.take(), context);
        } catch (thrown) {
          saved.release();
          throw thrown;
        }
        const isStored = await host.pin(await saved.take(), String(context.accountId), name);
        if (isStored) return { tokens, isStored };
      }
      return { tokens, isStored: false };
    },
  };
}

/** One token is generated and thrown away: the prompt stays in the prefix cache. */
async function compute(host: LlamaHost, promptId: number, context: TurnContext): Promise<void> {
  const spec: GenerationSpec = {
    promptId,
    tenant: String(context.accountId),
    choices: [{ choice: 0, seed: 0 }],
    temperature: 0,
    topP: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    stop: [],
    outputTokensMax: 1,
    topLogprobs: undefined,
    grammar: undefined,
    isDeterministic: false,
    willBePinned: true,
  };
  for await (const event of host.generate(spec, context.signal)) {
    if (event.type === 'end') return;
    if (event.type === 'error') {
      const code = event.reason === 'overloaded' ? 'engine_overloaded' : 'engine_failed';
      throw new ApiError(code, { internal: event.detail });
    }
  }
  throw new ApiError('engine_failed', { internal: 'the prefix was not computed to its end' });
}

/**
 * What all prompts that begin with these messages have in common, the marks around the next message included: two
 * continuations are rendered, and compared.
 */
function commonPieces(render: LlamaPrefixesOptions['render'], request: ChatRequest): PromptPiece[] {
  const [left, right] = ['a', 'b'].map((text) => {
    const next: ChatMessage = { role: 'user', text, name: undefined };
    return render({ ...request, messages: [...request.messages, next] });
  });
  const common: PromptPiece[] = [];
  for (const [i, piece] of (left ?? []).entries()) {
    const other = right?.[i];
    if (other === undefined || other.isControl !== piece.isControl) break;
    const text = commonText(piece.text, other.text);
    if (text === piece.text && text === other.text) {
      common.push(piece);
      continue;
    }
    if (text !== '' && !piece.isControl) common.push({ text, isControl: false });
    break;
  }
  return common;
}

function commonText(left: string, right: string): string {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length++;
  return left.slice(0, length);
}
