import { type StoreError, toStoreError } from '../store-error.ts';
import type { WireOutcome } from './sqlite-protocol.ts';

/** An error as it crosses to the main thread: its code and its text. */
export function failedOutcome(thrown: unknown): WireOutcome {
  const error = toStoreError(thrown, 'sqlite');
  return { type: 'failed', code: error.databaseCode ?? codeOfKind[error.kind], message: error.message };
}

/** Errors of ours have no database code; they borrow the one that means the same on the other side. */
const codeOfKind: Partial<Record<StoreError['kind'], string>> = {
  busy: 'SQLITE_BUSY',
  unavailable: 'SQLITE_IOERR',
};
