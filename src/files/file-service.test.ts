import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { openTestStore } from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import { createExtractor, fileExtractorDefaults } from '../extract/create-extractor.ts';
import type { Store } from '../store/store.ts';
import { createFileRecords } from './file-records.ts';
import { createFileService, type FileService, type FileServiceOptions } from './file-service.ts';
import { StorageError } from './file-storage.ts';
import { createFolderStorage } from './folder-storage.ts';

interface Bench {
  readonly folder: string;
  readonly store: Store;
  readonly accountId: number;
  open(options?: Partial<FileServiceOptions>): FileService;
  listDisk(): Promise<readonly string[]>;
}

async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(path.join(tmpdir(), 'perigee-files-'));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  const store = await openTestStore('sqlite');
  const account = await createAccount(
    store,
    { email: 'ada@example.org', password: 'long enough', isAdmin: false, openingCreditNanoUsd: 1n },
    Date.now,
  );
  const extractor = createExtractor({ ...fileExtractorDefaults, threads: 1 });
  onTestFinished(async () => await extractor.close());
  let idCount = 0;
  return {
    folder,
    store,
    accountId: account.id,
    open: (options) =>
      createFileService({
        records: createFileRecords(store),
        storage: createFolderStorage(path.join(folder, 'files')),
        extractor,
        temporaryFolder: path.join(folder, 'uploads'),
        bytesMax: 1_000_000,
        quotas: { filesMax: 10, bytesMax: 1_000_000 },
        ids: { next: () => (++idCount).toString(16).padStart(24, '0') },
        now: Date.now,
        onError: (error) => {
          throw error;
        },
        ...options,
      }),
    listDisk: async () =>
      (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .toSorted(),
  };
}

const labels = { filename: 'a.txt', mediaType: 'text/plain', purpose: 'file-extract' };
const never = new AbortController().signal;

it('what a dead process left behind is gone after a start, and nothing else', async () => {
  const bench = await openBench();
  const first = bench.open();
  const received = await first.receive(bench.accountId, Readable.from([Buffer.from('kept')]));
  const kept = await first.store(bench.accountId, received, labels, never);
  await first.close();
  const leftovers = [
    'uploads/half',
    'files/7/file-00000000000000000000dead.bytes',
    'files/7/file-00000000000000000000dead.json',
  ];
  const others = ['files/7/file-0000000000000000000f4e58.bytes', 'files/README', 'uploads/running'];
  for (const name of [...leftovers, ...others]) {
    const file = path.join(bench.folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, 'x');
    const age = leftovers.includes(name) || name === 'files/README' ? 7_200_000 : 0;
    await utimes(file, new Date(), new Date(Date.now() - age));
  }
  const second = bench.open();
  await second.close();
  expect(await bench.listDisk()).toEqual(
    [...others.map((name) => path.basename(name)), `${kept.id}.bytes`, `${kept.id}.json`].toSorted(),
  );
  expect(JSON.parse(await text(await second.readContent(bench.accountId, kept.id)))).toMatchObject({
    content: 'kept',
  });
});

it('a storage that fails leaves no row and no upload', async () => {
  const bench = await openBench();
  const storage = createFolderStorage(path.join(bench.folder, 'files'));
  const service = bench.open({
    storage: {
      ...storage,
      put: async (key, file) => {
        if (key.endsWith('.bytes')) throw new Error('the disk is full');
        await storage.put(key, file);
      },
    },
  });
  const received = await service.receive(bench.accountId, Readable.from([Buffer.from('text')]));
  await expect(service.store(bench.accountId, received, labels, never)).rejects.toThrow('the disk is full');
  expect(await bench.listDisk()).toEqual([]);
  expect((await service.list(bench.accountId, { limit: 10, order: 'asc' })).files).toEqual([]);
  await service.close();
});

it('a storage that is away says so, and keeps a file listed until its bytes are deleted', async () => {
  const bench = await openBench();
  const folder = createFolderStorage(path.join(bench.folder, 'files'));
  let isAway = false;
  const reach = (): void => {
    if (isAway) throw new StorageError('GET /bucket failed');
  };
  const service = bench.open({
    storage: {
      ...folder,
      put: async (key, file) => {
        reach();
        await folder.put(key, file);
      },
      read: async (key) => {
        reach();
        return await folder.read(key);
      },
      remove: async (key) => {
        reach();
        await folder.remove(key);
      },
    },
    onError: () => undefined,
  });
  const receive = async () => await service.receive(bench.accountId, Readable.from([Buffer.from('text')]));
  const { id } = await service.store(bench.accountId, await receive(), labels, never);
  isAway = true;
  const refusal = { code: 'file_storage_unavailable', status: 503 };
  await expect(service.store(bench.accountId, await receive(), labels, never)).rejects.toMatchObject(refusal);
  await expect(service.readContent(bench.accountId, id)).rejects.toMatchObject(refusal);
  await expect(service.remove(bench.accountId, id)).rejects.toMatchObject(refusal);
  const { files } = await service.list(bench.accountId, { limit: 10, order: 'asc' });
  expect(files).toMatchObject([{ id }]);
  isAway = false;
  await service.remove(bench.accountId, id);
  expect(await bench.listDisk()).toEqual([]);
  await expect(service.remove(bench.accountId, id)).rejects.toMatchObject({ code: 'file_not_found' });
  await service.close();
});

it('a sender that leaves while the text is extracted leaves nothing behind', async () => {
  const bench = await openBench();
  const service = bench.open();
  const received = await service.receive(bench.accountId, Readable.from([Buffer.from('text')]));
  const storing = service.store(bench.accountId, received, labels, AbortSignal.abort());
  await expect(storing).rejects.toMatchObject({ code: 'client_closed_request' });
  expect(await bench.listDisk()).toEqual([]);
  await service.close();
});
