import type { TokenLogprob } from '../../chat/types.ts';

/** `refusal` is an empty list, not null: the contract requires one, OpenAI's types allow it. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[]) {
  return {
    content: logprobs.map(({ token, logprob, bytes, top }) => ({
      token,
      logprob,
      bytes,
      top_logprobs: top.map((other) => ({ token: other.token, logprob: other.logprob, bytes: other.bytes })),
    })),
    refusal: [],
  };
}
