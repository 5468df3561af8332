import type { Readable } from 'node:stream';

/** Where the bytes of uploaded files are. Keys are of our own making: letters, digits, `/`, `-`, `_` and dots. */
export interface FileStorage {
  /** Stores a finished file of this machine, which is gone afterwards. Durable when it resolves. */
  put(key: string, temporaryPath: string): Promise<void>;
  /** Throws StorageError when there is none, or when the storage fails. */
  read(key: string): Promise<Readable>;
  /** Nothing happens when there is none. */
  remove(key: string): Promise<void>;
  /** Every object, with the time at which it was stored. */
  list(): AsyncIterable<StoredObject>;
  close(): Promise<void>;
}

export interface StoredObject {
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly storedAt: number;
}

/** The storage does not work as it should. The message is for the log. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}
