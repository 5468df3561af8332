/**
 * Uploaded files: received on disk, read in worker threads, kept in a storage, listed per account. Bytes are stored before
 * the row and removed before it: what is not listed has left nothing, but for what a process leaves that dies while it
 * stores. That is swept at the next start.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { ApiError } from '../errors.ts';
import { ExtractError, type ExtractedDocument, type Extractor } from '../extract/document.ts';
import type { FileFilter, FilePage, FileQuotas, FileRecord, FileRecords } from './file-records.ts';
import { type FileStorage, StorageError } from './file-storage.ts';
import { createFolderStorage } from './folder-storage.ts';
import { type ReceivedFile, receiveFile } from './receive-file.ts';
import { createUploadSlots } from './upload-slots.ts';
import { mediaTypeOf, writeContent } from './write-content.ts';

export interface FileLabels {
  readonly filename: string;
  /** What the sender says it is. */
  readonly mediaType: string;
  readonly purpose: string;
}

export interface FileService {
  /** Largest file, in bytes. */
  readonly bytesMax: number;
  /** Throws ApiError `invalid_request` when the account's quota is used up already. */
  assertRoom(accountId: number): Promise<void>;
  /**
   * Takes the bytes in; whoever called must `store` or `discard` the result, which holds one of the account's places
   * for uploads until then. Throws ApiError `rate_limit_reached` when all are taken.
   */
  receive(accountId: number, content: Readable): Promise<ReceivedFile>;
  /** Reads the text and keeps both. A file without text is kept with status `error`. Throws ApiError. */
  store(accountId: number, file: ReceivedFile, labels: FileLabels, signal: AbortSignal): Promise<FileRecord>;
  list(accountId: number, filter: FileFilter): Promise<FilePage>;
  /** Throws ApiError `file_not_found`. */
  find(accountId: number, id: string): Promise<FileRecord>;
  /** Bytes, text and row. Throws ApiError `file_not_found`, or `file_storage_unavailable`, and the file stays listed. */
  remove(accountId: number, id: string): Promise<void>;
  /**
   * The text as Moonshot's JSON. Throws ApiError `file_not_found`, `file_storage_unavailable`, or `invalid_request` for a
   * file without text.
   */
  readContent(accountId: number, id: string): Promise<Readable>;
  close(): Promise<void>;
}

export interface FileServiceOptions {
  readonly records: FileRecords;
  readonly storage: FileStorage;
  readonly extractor: Extractor;
  /** Where uploads lie while they come in. */
  readonly temporaryFolder: string;
  readonly bytesMax: number;
  readonly quotas: FileQuotas;
  readonly ids: { next(): string };
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Their files lie on the disk before any quota counts them, so there must be an end to them. */
const uploadLimits = { uploadsMax: 32, perAccountMax: 8 };
/** Other replicas may be between the bytes and the row for as long as a document may take to be read. */
const leftoverMs = 3_600_000;

export function createFileService(options: FileServiceOptions): FileService {
  const { records, storage, quotas, bytesMax, temporaryFolder } = options;
  const slots = createUploadSlots(uploadLimits);
  const swept = sweep(options).catch(options.onError);

  const find = async (accountId: number, id: string): Promise<FileRecord> => {
    const file = await records.find(accountId, id);
    if (file === undefined) throw new ApiError('file_not_found');
    return file;
  };

  return {
    bytesMax,
    find,
    list: async (accountId, filter) => await records.list(accountId, filter),
    async assertRoom(accountId) {
      const usage = await records.usage(accountId);
      if (usage.files >= quotas.filesMax) throw tooManyFiles(quotas);
      if (usage.bytes >= quotas.bytesMax) throw tooManyBytes(quotas);
    },
    async receive(accountId, content) {
      let giveBack: (() => void) | undefined;
      try {
        giveBack = slots.take(accountId);
        const received = await receiveFile(content, temporaryFolder, bytesMax);
        return { ...received, discard: () => received.discard().finally(giveBack) };
      } catch (error) {
        giveBack?.();
        // The rest is read and dropped, so that the sender hears the answer.
        if (!content.destroyed) content.resume();
        throw error;
      }
    },
    async store(accountId, received, labels, signal) {
      try {
        return await keep(accountId, received, { ...options, labels, signal });
      } finally {
        await received.discard();
      }
    },
    async remove(accountId, id) {
      await find(accountId, id);
      await askStorage(storage.remove(contentKey(accountId, id)));
      await askStorage(storage.remove(bytesKey(accountId, id)));
      // Somebody else may have deleted it in the same moment.
      if (!(await records.remove(accountId, id))) throw new ApiError('file_not_found');
    },
    async readContent(accountId, id) {
      const file = await find(accountId, id);
      if (file.status === 'error') {
        throw new ApiError('invalid_request', {
          message: `Failed to extract file: ${file.statusDetails ?? 'there is no text in it'}`,
        });
      }
      return await askStorage(storage.read(contentKey(accountId, id)));
    },
    async close() {
      await swept;
      await storage.close();
    },
  };
}

const bytesKey = (accountId: number, id: string): string => `${accountId}/${id}.bytes`;
const contentKey = (accountId: number, id: string): string => `${accountId}/${id}.json`;
const idOfKey = (key: string): string => path.posix.basename(key).replace(/\.(bytes|json)$/, '');

/** What a storage says is for the log. Throws ApiError `file_storage_unavailable`. */
async function askStorage<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StorageError) throw new ApiError('file_storage_unavailable', { cause: error });
    throw error;
  }
}

interface KeepOptions extends FileServiceOptions {
  readonly labels: FileLabels;
  readonly signal: AbortSignal;
}

async function keep(accountId: number, received: ReceivedFile, options: KeepOptions): Promise<FileRecord> {
  const { records, storage, quotas, labels } = options;
  if (received.isTooLarge) throw fileTooLarge(options.bytesMax);
  if (received.sizeBytes === 0) {
    throw new ApiError('invalid_request', {
      message: 'File size is zero, please confirm and re-upload the file',
      param: 'file',
    });
  }
  const id = `file-${options.ids.next()}`;
  const read = await readDocument(received.path, options);
  const keys = [bytesKey(accountId, id), contentKey(accountId, id)] as const;
  const contentPath = `${received.path}.json`;
  try {
    if (read.document !== undefined) {
      await writeContent(contentPath, read.document, labels.filename);
      await askStorage(storage.put(keys[1], contentPath));
    }
    await askStorage(storage.put(keys[0], received.path));
    const file: FileRecord = {
      id,
      accountId,
      filename: labels.filename,
      purpose: labels.purpose,
      mediaType: read.document === undefined ? labels.mediaType : mediaTypeOf(read.document.kind),
      sizeBytes: received.sizeBytes,
      sha256: received.sha256,
      status: read.document === undefined ? 'error' : 'ready',
      statusDetails: read.failure ?? null,
      createdAt: options.now(),
    };
    const refused = await records.insert(file, quotas);
    if (refused !== undefined) throw refused === 'count' ? tooManyFiles(quotas) : tooManyBytes(quotas);
    return file;
  } catch (error) {
    await Promise.all(keys.map((key) => storage.remove(key).catch(options.onError)));
    throw error;
  } finally {
    // Still there when it could not be stored, or not be written to its end.
    await rm(contentPath, { force: true });
  }
}

interface ReadResult {
  readonly document?: ExtractedDocument;
  /** Why there is no text, for people. */
  readonly failure?: string;
}

async function readDocument(file: string, { extractor, labels, signal }: KeepOptions): Promise<ReadResult> {
  try {
    const { filename: name, mediaType } = labels;
    return { document: await extractor.extract({ content: { path: file }, name, mediaType }, signal) };
  } catch (error) {
    if (signal.aborted) throw new ApiError('client_closed_request', { cause: error });
    if (error instanceof ExtractError) return { failure: error.message };
    throw error;
  }
}

/** Removes what a process left behind that died between two steps. */
async function sweep({ records, storage, temporaryFolder, now }: FileServiceOptions): Promise<void> {
  const isLeftover = ({ storedAt }: { readonly storedAt: number }): boolean => storedAt < now() - leftoverMs;
  const temporary = createFolderStorage(temporaryFolder);
  for await (const upload of temporary.list()) {
    if (isLeftover(upload)) await temporary.remove(upload.key);
  }
  let batch: string[] = [];
  const removeOrphans = async (): Promise<void> => {
    const existing = await records.findExisting([...new Set(batch.map(idOfKey))]);
    for (const key of batch) if (!existing.has(idOfKey(key))) await storage.remove(key);
    batch = [];
  };
  for await (const object of storage.list()) {
    // Only what has a name of ours: an operator may keep other things there.
    if (!/^\d+\/file-[0-9a-f]+\.(bytes|json)$/.test(object.key) || !isLeftover(object)) continue;
    batch.push(object.key);
    if (batch.length >= 200) await removeOrphans();
  }
  await removeOrphans();
}

export const fileTooLarge = (bytesMax: number): ApiError =>
  new ApiError('invalid_request', {
    message: `File size is too large, max file size is ${Math.floor(bytesMax / 1_048_576)}MB, please confirm and re-upload the file`,
    param: 'file',
  });

const tooManyFiles = ({ filesMax }: FileQuotas): ApiError =>
  new ApiError('invalid_request', {
    message: `The number of files you have uploaded exceeded the max file count ${filesMax}, please delete previous uploaded files`,
  });

const tooManyBytes = ({ bytesMax }: FileQuotas): ApiError =>
  new ApiError('invalid_request', {
    message: `The size of the files you have uploaded exceeded the max size ${bytesMax} bytes, please delete previous uploaded files`,
  });
