import path from 'node:path';
import { ConfigError } from './config.ts';
import { createExtractor, fileExtractorDefaults } from './extract/create-extractor.ts';
import { createFileRecords } from './files/file-records.ts';
import { createFileService, type FileService } from './files/file-service.ts';
import type { FileStorage } from './files/file-storage.ts';
import { createFolderStorage } from './files/folder-storage.ts';
import { createS3Storage, type S3Options } from './files/s3-storage.ts';
import type { Config } from './settings.ts';
import type { Store } from './store/store.ts';

type FileConfig = Pick<
  Config,
  | 'dataDir'
  | 'fileBytesMax'
  | 'filesPerAccountMax'
  | 'fileBytesPerAccountMax'
  | 'filesS3Url'
  | 'filesS3Region'
  | 'filesS3AccessKeyId'
  | 'filesS3SecretAccessKey'
>;

export interface FileParts {
  readonly ids: { next(): string };
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Uploaded files over a store. Throws as `readS3Settings`. */
export function buildFiles(store: Store, config: FileConfig, parts: FileParts): FileService {
  const extractor = createExtractor(fileExtractorDefaults);
  const service = createFileService({
    ...parts,
    records: createFileRecords(store),
    storage: createStorage(config),
    extractor,
    // Beside the files: what has come in is renamed, never copied.
    temporaryFolder: path.join(config.dataDir, 'uploads'),
    bytesMax: config.fileBytesMax,
    quotas: { filesMax: config.filesPerAccountMax, bytesMax: config.fileBytesPerAccountMax },
  });
  return {
    ...service,
    close: async () => {
      await extractor.close();
      await service.close();
    },
  };
}

function createStorage(config: FileConfig): FileStorage {
  const s3 = readS3Settings(config);
  return s3 === undefined ? createFolderStorage(path.join(config.dataDir, 'files')) : createS3Storage(s3);
}

/** Undefined: files lie in the data folder. Throws ConfigError for a storage without its keys. */
export function readS3Settings(config: FileConfig): S3Options | undefined {
  const {
    filesS3Url: url,
    filesS3AccessKeyId: accessKeyId,
    filesS3SecretAccessKey: secretAccessKey,
  } = config;
  if (url === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError('files_s3_url needs `files_s3_access_key_id` and `files_s3_secret_access_key`.');
  }
  return { url, region: config.filesS3Region, accessKeyId, secretAccessKey };
}
