import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { s3Access, startS3 } from './__fixtures__/s3-server.ts';
import { type FileStorage, StorageError } from './file-storage.ts';
import { createS3Storage } from './s3-storage.ts';

function openStorage(url: string, secretAccessKey = s3Access.secretAccessKey): FileStorage {
  const storage = createS3Storage({ ...s3Access, url, secretAccessKey });
  onTestFinished(async () => await storage.close());
  return storage;
}

async function writeTemporary(content: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'perigee-s3-'));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const file = path.join(folder, 'upload');
  await writeFile(file, content);
  return file;
}

describe('S3-compatible storage', () => {
  it('stores, reads, lists and removes objects, each request signed', async () => {
    const server = await startS3();
    const storage = openStorage(server.url);
    const file = await writeTemporary('你好');
    await storage.put('7/file-1.json', file);
    await expect(stat(file)).rejects.toThrow('ENOENT');
    expect([...server.objects.keys()]).toEqual(['/bucket/some/prefix/7/file-1.json']);
    expect(await text(await storage.read('7/file-1.json'))).toBe('你好');
    for (const name of ['7/file-2.json', '8/file-3.json'])
      await storage.put(name, await writeTemporary(name));
    server.objects.set('/bucket/other/thing', Buffer.from('not ours'));
    expect((await Array.fromAsync(storage.list())).map(({ key }) => key)).toEqual([
      '7/file-1.json',
      '7/file-2.json',
      '8/file-3.json',
    ]);
    expect((await Array.fromAsync(storage.list()))[0]?.storedAt).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    await storage.remove('7/file-1.json');
    await storage.remove('7/file-1.json');
    await expect(storage.read('7/file-1.json')).rejects.toThrow('404 NoSuchKey');
  });

  it('fails with what the storage says', async () => {
    const server = await startS3();
    const storage = openStorage(server.url, 'another secret');
    const putting = storage.put('7/file-1.json', await writeTemporary('x'));
    await expect(putting).rejects.toThrow(StorageError);
    await expect(putting).rejects.toThrow('403 SignatureDoesNotMatch');
  });

  it('fails when nobody is there', async () => {
    await expect(openStorage('http://127.0.0.1:9/bucket').read('7/file-1.json')).rejects.toThrow(
      StorageError,
    );
  });
});
