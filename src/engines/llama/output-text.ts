/**
 * Turns the tokens of one answer into pieces for the outside: whole UTF-8 characters only, never a part of a stop
 * string, special tokens apart from text, log probabilities with the text they belong to.
 */
import type { TokenLogprob } from '../../chat/types.ts';
import type { OutputPiece } from './protocol.ts';
import type { SampledToken } from './sampler.ts';
import { createStopMatcher } from './stop-matcher.ts';
import { createUtf8Joiner, decodeUtf8 } from './utf8-joiner.ts';
import type { VocabularyView } from './vocabulary-view.ts';

export interface OutputText {
  /** Takes one token that is not an end-of-generation token. After `isStopped` nothing more may be pushed. */
  push(sampled: SampledToken): { readonly pieces: OutputPiece[]; readonly isStopped: boolean };
  /** What was held back, when the answer ends without a stop string. Half a character becomes U+FFFD. */
  flush(): OutputPiece[];
}

export interface OutputTextOptions {
  readonly stop: readonly string[];
  readonly vocabulary: VocabularyView;
  /**
   * Asked at each token; while true, stop strings are not looked for. Pass the sampler's `isConstraining` (read
   * before `accept`), so that a stop string cannot cut a tool call or a JSON answer in two.
   */
  readonly isStopSuspended?: () => boolean;
}

/** A token whose text is not out yet; `end` counts UTF-16 units of all text since the answer began. */
interface PendingLogprob {
  readonly end: number;
  readonly logprob: TokenLogprob;
}

export function createOutputText(options: OutputTextOptions): OutputText {
  const { vocabulary, isStopSuspended } = options;
  const joiner = createUtf8Joiner();
  const matcher = createStopMatcher(options.stop);
  const pending: PendingLogprob[] = [];
  let decodedLength = 0;
  let releasedLength = 0;

  const release = (text: string): OutputPiece[] => {
    releasedLength += text.length;
    const due: TokenLogprob[] = [];
    while ((pending[0]?.end ?? Number.POSITIVE_INFINITY) <= releasedLength) {
      const entry = pending.shift();
      if (entry !== undefined) due.push(entry.logprob);
    }
    if (text === '' && due.length === 0) return [];
    return [due.length > 0 ? { type: 'text', text, logprobs: due } : { type: 'text', text }];
  };
  const flush = (): OutputPiece[] => {
    const tail = joiner.flush();
    decodedLength += tail.length;
    return release(matcher.flush() + tail);
  };

  return {
    push(sampled) {
      const { token, logprob } = sampled;
      if (vocabulary.isControl(token)) {
        const pieces = flush();
        pieces.push({ type: 'special', token: vocabulary.controlText(token) });
        return { pieces, isStopped: false };
      }
      const text = joiner.push(vocabulary.tokenBytes(token));
      decodedLength += text.length;
      if (logprob !== undefined) {
        // A token that ends inside a character belongs to the text in which that character comes out.
        const end = decodedLength + (joiner.isIncomplete ? 1 : 0);
        pending.push({ end, logprob: describeLogprob(token, logprob, vocabulary) });
      }
      if (isStopSuspended?.() ?? false) {
        return { pieces: release(matcher.flush() + text), isStopped: false };
      }
      const { released, isStopped } = matcher.push(text);
      return { pieces: release(released), isStopped };
    },
    flush,
  };
}

function describeLogprob(
  token: number,
  raw: NonNullable<SampledToken['logprob']>,
  vocabulary: VocabularyView,
): TokenLogprob {
  const describe = (id: number): { token: string; bytes: number[] } => {
    if (vocabulary.isControl(id)) {
      const text = vocabulary.controlText(id);
      return { token: text, bytes: [...Buffer.from(text)] };
    }
    const bytes = vocabulary.tokenBytes(id);
    return { token: decodeUtf8(bytes), bytes: [...bytes] };
  };
  return {
    ...describe(token),
    logprob: raw.logprob,
    top: raw.top.map((entry) => ({ ...describe(entry.token), logprob: entry.logprob })),
  };
}
