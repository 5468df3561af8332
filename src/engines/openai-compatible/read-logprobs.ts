/** Log probabilities as OpenAI's format has them, from servers that leave some of it out. */
import type { TokenLogprob } from '../../chat/types.ts';
import { asList, asRecord } from './wire-chunk.ts';

interface WireLogprob {
  readonly token?: unknown;
  readonly logprob?: unknown;
  readonly bytes?: unknown;
  readonly top_logprobs?: unknown;
}

type TopLogprob = TokenLogprob['top'][number];

/** The entries of `choices[].logprobs`; entries without a token or a number are left out. */
export function readLogprobs(value: unknown): TokenLogprob[] {
  const content = asRecord<{ readonly content?: unknown }>(value)?.content;
  return asList(content).flatMap((entry) => {
    const token = readToken(entry);
    if (token === undefined) return [];
    const top = asList(asRecord<WireLogprob>(entry)?.top_logprobs).flatMap((other) => readToken(other) ?? []);
    return [{ ...token, top }];
  });
}

function readToken(value: unknown): TopLogprob | undefined {
  const entry = asRecord<WireLogprob>(value);
  if (typeof entry?.token !== 'string' || typeof entry.logprob !== 'number') return undefined;
  const bytes = Array.isArray(entry.bytes)
    ? entry.bytes.filter((byte) => typeof byte === 'number')
    : undefined;
  return {
    token: entry.token,
    logprob: entry.logprob,
    bytes: bytes ?? [...Buffer.from(entry.token, 'utf8')],
  };
}
