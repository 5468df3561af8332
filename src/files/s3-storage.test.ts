import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHost } from '../egress/__fixtures__/loopback-host.ts';
import { type FileStorage, StorageError } from './file-storage.ts';
import { createS3Storage } from './s3-storage.ts';

const accessKeyId = 'AKIDEXAMPLE';
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const region = 'eu-test-1';

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** Signature Version 4 as AWS describes it ("Create a signed AWS API request"), from the request that arrived. */
function signatureOf(request: IncomingMessage): string {
  const authorization = request.headers.authorization ?? '';
  const signedHeaders = /SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? '';
  const url = new URL(request.url ?? '', 'http://host');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .toSorted()
    .join('&');
  const canonical = [
    request.method,
    url.pathname,
    query,
    ...signedHeaders.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}`),
    '',
    signedHeaders,
    request.headers['x-amz-content-sha256'],
  ].join('\n');
  const date = String(request.headers['x-amz-date']);
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const key = [date.slice(0, 8), region, 's3', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${secretAccessKey}`,
  );
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex');
}

/** An S3 server in its smallest form: it refuses what is signed wrongly, and lists two objects a page. */
async function startS3(): Promise<{ readonly url: string; readonly objects: Map<string, Buffer> }> {
  const objects = new Map<string, Buffer>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await request.toArray());
    const isSigned = request.headers.authorization?.endsWith(`Signature=${signatureOf(request)}`) === true;
    if (!isSigned || request.headers['x-amz-content-sha256'] !== sha256(body)) {
      response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>');
      return;
    }
    const url = new URL(request.url ?? '', 'http://host');
    const key = decodeURIComponent(url.pathname);
    if (url.searchParams.has('list-type')) response.end(listPage(objects, url));
    else if (request.method === 'PUT') response.end(String(objects.set(key, body).size));
    else if (request.method === 'DELETE') response.writeHead(objects.delete(key) ? 204 : 404).end();
    else if (objects.has(key)) response.end(objects.get(key));
    else response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
  };
  const host = await startHost((request, response) => void answer(request, response));
  return { url: `${host.origin}/bucket/some/prefix`, objects };
}

function listPage(objects: ReadonlyMap<string, Buffer>, url: URL): string {
  const prefix = `${url.pathname}/${url.searchParams.get('prefix') ?? ''}`;
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  const start = Number(url.searchParams.get('continuation-token') ?? 0);
  const contents = keys
    .slice(start, start + 2)
    .map(
      (key) =>
        `<Contents><Key>${key.slice('/bucket/'.length)}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>`,
    );
  const next = start + 2 < keys.length ? `<NextContinuationToken>${start + 2}</NextContinuationToken>` : '';
  return `<?xml version="1.0"?><ListBucketResult>${next}${contents.join('')}</ListBucketResult>`;
}

function openStorage(url: string, secret = secretAccessKey): FileStorage {
  const storage = createS3Storage({ url, region, accessKeyId, secretAccessKey: secret });
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
