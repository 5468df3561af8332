import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { AwsV4Signer } from 'aws4fetch';
import { Agent, type Dispatcher } from 'undici';
import { hashFile } from '../hash-file.ts';
import { type FileStorage, StorageError } from './file-storage.ts';
import { readListing } from './read-listing.ts';

export interface S3Options {
  /** Endpoint, bucket and perhaps a prefix, in path style. */
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const connectTimeoutMs = 5_000;
const answerTimeoutMs = 30_000;
/** Of nothing: what requests without a body are signed with. */
const emptySha256 = createHash('sha256').digest('hex');

interface S3Request {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly body?: { readonly path: string; readonly sizeBytes: number; readonly sha256: string };
}

/**
 * Objects of an S3-compatible storage (AWS, MinIO, Ceph, R2). aws4fetch signs in 3 kB; the official client is 60
 * packages for the same four calls.
 */
export function createS3Storage(options: S3Options): FileStorage {
  const agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
    allowH2: false,
  });
  const base = new URL(options.url.replace(/\/*$/, '/'));
  const [bucket = '', ...prefixParts] = base.pathname.split('/').filter((part) => part !== '');
  const prefix = prefixParts.map((part) => `${part}/`).join('');
  const urlOf = (key: string): URL => new URL(key, base);

  const ask = createRequester(options, agent);

  return {
    async put(key, temporaryPath) {
      const { size: sizeBytes } = await stat(temporaryPath);
      const sha256 = await hashFile(temporaryPath);
      const answer = await ask({
        method: 'PUT',
        url: urlOf(key),
        body: { path: temporaryPath, sizeBytes, sha256 },
      });
      await answer.body.dump();
      await rm(temporaryPath, { force: true });
    },
    read: async (key) => (await ask({ method: 'GET', url: urlOf(key) })).body,
    async remove(key) {
      const answer = await ask({ method: 'DELETE', url: urlOf(key) }, [404]);
      await answer.body.dump();
    },
    async *list() {
      let token: string | undefined;
      do {
        const url = new URL(`/${bucket}`, base);
        url.searchParams.set('list-type', '2');
        url.searchParams.set('prefix', prefix);
        if (token !== undefined) url.searchParams.set('continuation-token', token);
        const page = readListing(await (await ask({ method: 'GET', url })).body.text());
        for (const { key, storedAt } of page.objects) yield { key: key.slice(prefix.length), storedAt };
        token = page.nextToken;
      } while (token !== undefined);
    },
    close: async () => await agent.destroy(),
  };
}

/** Throws StorageError for every answer but 2xx and those in `accepted`. */
type SendToS3 = (request: S3Request, accepted?: readonly number[]) => Promise<Dispatcher.ResponseData>;

function createRequester(options: S3Options, agent: Dispatcher): SendToS3 {
  const send = async ({ method, url, body }: S3Request): Promise<Dispatcher.ResponseData> => {
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { 'x-amz-content-sha256': body?.sha256 ?? emptySha256 },
      service: 's3',
      region: options.region,
      accessKeyId: options.accessKeyId,
      secretAccessKey: options.secretAccessKey,
    });
    const signed = await signer.sign();
    const headers = Object.fromEntries(signed.headers);
    return await agent.request({
      origin: signed.url.origin,
      path: signed.url.pathname + signed.url.search,
      method,
      headers: body === undefined ? headers : { ...headers, 'content-length': String(body.sizeBytes) },
      body: body === undefined ? null : createReadStream(body.path),
    });
  };

  return async (request: S3Request, accepted: readonly number[] = []): Promise<Dispatcher.ResponseData> => {
    const answer = await send(request).catch((cause: unknown) => {
      throw new StorageError(`${request.method} ${request.url.pathname} failed`, { cause });
    });
    const { statusCode: status } = answer;
    if ((status >= 200 && status < 300) || accepted.includes(status)) return answer;
    const detail = await answer.body.text();
    const code = /<Code>([^<]{1,100})<\/Code>/.exec(detail)?.[1] ?? '';
    throw new StorageError(`${request.method} ${request.url.pathname} was answered with ${status} ${code}`);
  };
}
