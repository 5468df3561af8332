import { ApiError } from '../errors.ts';

export interface UploadSlots {
  /**
   * A place for an upload; the returned function gives it back, however often it is called. Throws ApiError
   * `rate_limit_reached`.
   */
  take(accountId: number): () => void;
}

export interface UploadSlotsOptions {
  /** Of everybody together. */
  readonly uploadsMax: number;
  readonly perAccountMax: number;
}

/** Counts uploads from their first byte to the end of their extraction: so long they hold a connection and disk. */
export function createUploadSlots({ uploadsMax, perAccountMax }: UploadSlotsOptions): UploadSlots {
  const countByAccount = new Map<number, number>();
  let all = 0;
  return {
    take(accountId) {
      const own = countByAccount.get(accountId) ?? 0;
      if (all >= uploadsMax || own >= perAccountMax) throw tooManyAtOnce();
      all += 1;
      countByAccount.set(accountId, own + 1);
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        all -= 1;
        const left = (countByAccount.get(accountId) ?? 0) - 1;
        if (left > 0) countByAccount.set(accountId, left);
        else countByAccount.delete(accountId);
      };
    },
  };
}

const tooManyAtOnce = (): ApiError =>
  new ApiError('rate_limit_reached', {
    message: 'Too many files are being uploaded at once, please try again after 1 seconds',
    retryAfterSeconds: 1,
  });
