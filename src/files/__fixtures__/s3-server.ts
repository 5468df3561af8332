import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startHost } from '../../egress/__fixtures__/loopback-host.ts';

export const s3Access = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'eu-test-1',
};

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
  const { secretAccessKey, region } = s3Access;
  const date = String(request.headers['x-amz-date']);
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const key = [date.slice(0, 8), region, 's3', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${secretAccessKey}`,
  );
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex');
}

/** An S3 server in its smallest form: one bucket; it refuses what is signed wrongly, and lists two objects a page. */
export async function startS3(): Promise<{ readonly url: string; readonly objects: Map<string, Buffer> }> {
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
    if (!url.pathname.startsWith('/bucket'))
      response.writeHead(404).end('<Error><Code>NoSuchBucket</Code></Error>');
    else if (url.searchParams.has('list-type')) response.end(listPage(objects, url));
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
