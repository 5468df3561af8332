import { ApiError } from '../../errors.ts';
import type { LlamaHost } from './llama-host.ts';
import type { PromptPiece } from './protocol.ts';

/** A prompt that was counted and not run: its tokens are kept in the child for at most this long. */
const holdMs = 60_000;

/** A prompt whose tokens wait in the engine's child, so that they cross the process border once. */
export interface HeldPrompt {
  readonly tokenCount: number;
  /**
   * The id for one generation; the child drops the tokens when that ends. A further call, or one after the
   * time was over, sends the prompt again.
   */
  take(): Promise<number>;
  /** Lets the child forget the tokens unless they were taken. Idempotent. */
  release(): void;
}

/** Tokenizes and holds. Throws `client_closed_request` as soon as the signal fires. */
export async function holdPrompt(
  host: LlamaHost,
  pieces: readonly PromptPiece[],
  signal: AbortSignal,
): Promise<HeldPrompt> {
  const first = await tokenizeOrLeave(host, pieces, signal);
  let heldId: number | undefined = first.promptId;

  const stopHolding = (): number | undefined => {
    const promptId = heldId;
    heldId = undefined;
    clearTimeout(timer);
    signal.removeEventListener('abort', release);
    return promptId;
  };
  const release = (): void => {
    const promptId = stopHolding();
    if (promptId !== undefined) host.forget(promptId);
  };
  const timer = setTimeout(release, holdMs);
  timer.unref();
  signal.addEventListener('abort', release, { once: true });

  return {
    tokenCount: first.tokenCount,
    release,
    async take() {
      const promptId = stopHolding();
      if (promptId !== undefined) return promptId;
      const again = await tokenizeOrLeave(host, pieces, signal);
      return again.promptId;
    },
  };
}

async function tokenizeOrLeave(
  host: LlamaHost,
  pieces: readonly PromptPiece[],
  signal: AbortSignal,
): Promise<{ promptId: number; tokenCount: number }> {
  if (signal.aborted) throw new ApiError('client_closed_request');
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(new ApiError('client_closed_request'));
  signal.addEventListener('abort', leave, { once: true });
  const tokenized = host.tokenize(pieces);
  try {
    return await Promise.race([tokenized, left]);
  } catch (thrown) {
    // Nobody waits for the tokens any more when the client left first.
    tokenized.then(
      ({ promptId }) => host.forget(promptId),
      () => undefined,
    );
    throw thrown;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
