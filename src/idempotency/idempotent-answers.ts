/**
 * One request, one answer, one charge, however often a client sends it. Here: the keys that callers send, the answers
 * that are being made in this process, and those that are kept. Not here: what an answer is made of (`http/openai`).
 */
import { ApiError, toApiError } from '../errors.ts';
import { type JobReport, startJobLoop } from '../jobs/job-loop.ts';
import type { Statement, Store } from '../store/store.ts';
import {
  claimRequest,
  deleteExpiredAnswers,
  giveUpRequest,
  type KeyedRequest,
  keepAnswer,
} from './answer-rows.ts';
import { type AnswerHeaders, type AnswerReader, SharedAnswer } from './shared-answer.ts';

/** The last of an answer, and what stands above it. */
export interface AnswerEnd {
  readonly headers: AnswerHeaders;
  readonly last: string;
}

/** An answer as whoever makes it sees it. */
export interface AnswerInTheMaking {
  /** Fires when nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** Before the first `add`. */
  describe(headers: AnswerHeaders): void;
  add(piece: string): void;
  /** Rows that keep the answer, for the group that settles its turn. */
  keep(end: AnswerEnd): readonly Statement<never>[];
  /** After the settlement. */
  end(end: AnswerEnd): void;
}

export interface IdempotentAnswers {
  /**
   * Opens the answer to a request: one that was kept, one that is being made for a twin, or a new one that `make`
   * makes. `make` may be called after this resolved, and rejects with an ApiError when there is no answer; that is
   * not kept. Throws ApiError `idempotency_conflict` here or from the reader.
   */
  open(request: KeyedRequest, make: (answer: AnswerInTheMaking) => Promise<void>): Promise<AnswerReader>;
  /** Of the job that forgets expired answers. */
  report(): JobReport;
  /** Ends that job. */
  close(): Promise<void>;
}

export interface IdempotentAnswersOptions {
  /** The name under which this process holds its lease (`billing/server-lease.ts`). */
  readonly serverId: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether work ends with its last client. */
  readonly isStoppedWithoutReaders: boolean;
  /** Told when a key could not be freed, or expired answers not deleted; both are tried again or run out. */
  readonly onError: (error: unknown) => void;
}

const expiryCheckMs = 60_000;

export function createIdempotentAnswers(store: Store, options: IdempotentAnswersOptions): IdempotentAnswers {
  const running = new Map<string, SharedAnswer>();
  const loop = startJobLoop({
    name: 'expired answers',
    intervalMs: expiryCheckMs,
    run: async () => await deleteExpiredAnswers(store, options.now()),
    onError: options.onError,
  });
  return {
    open: async (request, make) => {
      const name = `${request.accountId} ${request.key}`;
      for (let twin = running.get(name); twin !== undefined; twin = running.get(name)) {
        if (twin.digest !== request.digest) throw new ApiError('idempotency_conflict');
        if (!twin.signal.aborted) return twin.openReader(true);
        // It is being stopped, because everybody had left; then it can be asked for anew.
        await twin.over;
      }
      const { digest } = request;
      const { isStoppedWithoutReaders } = options;
      const answer = new SharedAnswer({ digest, isStoppedWithoutReaders });
      // In the same turn of the event loop as the look above, so that no twin begins beside it.
      running.set(name, answer);
      const reader = answer.openReader(false);
      void fillAnswer({ store, options, request, answer, make }).then((failure) => {
        running.delete(name);
        if (failure === undefined) answer.end();
        else answer.fail(failure);
      });
      return reader;
    },
    report: () => loop.report(),
    close: async () => await loop.close(),
  };
}

interface AnswerToFill {
  readonly store: Store;
  readonly options: IdempotentAnswersOptions;
  readonly request: KeyedRequest;
  readonly answer: SharedAnswer;
  readonly make: (answer: AnswerInTheMaking) => Promise<void>;
}

/** Never rejects: resolves to why there is no answer. */
async function fillAnswer(filling: AnswerToFill): Promise<ApiError | undefined> {
  const { store, options, request, answer, make } = filling;
  try {
    const claim = await claimRequest(store, request, { serverId: options.serverId, now: options.now() });
    if (!claim.isOurs) {
      answer.fill(claim.headers, claim.body);
      return undefined;
    }
  } catch (thrown) {
    return toApiError(thrown);
  }
  let isKept = false;
  let failure: ApiError | undefined;
  try {
    await make({
      signal: answer.signal,
      describe: (headers) => answer.describe(headers),
      add: (piece) => answer.add(piece),
      keep: ({ headers, last }) => {
        isKept = true;
        return [keepAnswer(request, { headers, body: answer.text + last })];
      },
      end: ({ headers, last }) => {
        answer.describe(headers);
        answer.add(last);
      },
    });
  } catch (thrown) {
    failure = toApiError(thrown);
  }
  // Before the clients hear of the failure, so that they may try again at once.
  if (failure !== undefined || !isKept) await giveUpRequest(store, request).catch(options.onError);
  return failure;
}
