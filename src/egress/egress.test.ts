import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHost } from './__fixtures__/loopback-host.ts';
import { createEgress, type EgressOptions } from './create-egress.ts';
import type { Egress, EgressFailure, EgressRequest } from './egress.ts';
import type { ResolveHost } from './guarded-connector.ts';

function openEgress(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ allowHosts: [], ports: [80, 443], userAgent: 'Perigee-Test/1', ...options });
  onTestFinished(async () => await egress.close());
  return egress;
}

/** Any port of 127.0.0.1, as a test's host needs. */
const openLoopback = { allowHosts: ['127.0.0.1:*'] };

const never = new AbortController().signal;

async function failureOf(
  egress: Egress,
  url: string,
  options: Partial<EgressRequest> = {},
): Promise<EgressFailure | undefined> {
  const outcome = await egress.fetch({ url, signal: never, ...options }).catch((error: unknown) => error);
  return outcome instanceof Error && 'failure' in outcome ? (outcome.failure as EgressFailure) : undefined;
}

describe('an address that a stranger named', () => {
  it.each([
    ['loopback', 'http://127.0.0.1/'],
    ['loopback in one number', 'http://2130706433/'],
    ['loopback in octal', 'http://0177.0.0.1/'],
    ['loopback in hexadecimal', 'http://0x7f.0.0.1/'],
    ['loopback in one hexadecimal number', 'http://0x7f000001/'],
    ['loopback with parts left out', 'http://127.1/'],
    ['loopback in full-width digits', 'http://１２７.0.0.1/'],
    ['another loopback address', 'http://127.200.3.4/'],
    ['IPv6 loopback', 'http://[::1]/'],
    ['the unspecified address', 'http://0.0.0.0/'],
    ['the unspecified IPv6 address', 'http://[::]/'],
    ['a private network', 'http://10.0.0.1/'],
    ['another private network', 'http://192.168.1.1/'],
    ['a third private network', 'http://172.20.0.1/'],
    ['carrier-grade NAT', 'http://100.64.0.1/'],
    ['cloud metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['cloud metadata elsewhere', 'http://100.100.100.200/'],
    ['cloud metadata in a public range', 'http://168.63.129.16/'],
    ['cloud metadata over IPv6', 'http://[fd00:ec2::254]/'],
    ['multicast', 'http://224.0.0.1/'],
    ['broadcast', 'http://255.255.255.255/'],
    ['documentation', 'http://192.0.2.1/'],
    ['benchmarking', 'http://198.18.0.1/'],
    ['a reserved class', 'http://240.0.0.1/'],
    ['link-local IPv6', 'http://[fe80::1]/'],
    ['site-local IPv6', 'http://[fec0::1]/'],
    ['unique-local IPv6', 'http://[fc00::1]/'],
    ['IPv6 multicast', 'http://[ff02::1]/'],
    ['IPv4 mapped into IPv6', 'http://[::ffff:127.0.0.1]/'],
    ['IPv4 mapped in hexadecimal', 'http://[::ffff:7f00:1]/'],
    ['IPv4-compatible IPv6', 'http://[::127.0.0.1]/'],
    ['NAT64', 'http://[64:ff9b::7f00:1]/'],
    ['local NAT64', 'http://[64:ff9b:1::7f00:1]/'],
    ['6to4', 'http://[2002:7f00:1::]/'],
    ['Teredo', 'http://[2001::1]/'],
  ])('is refused: %s', async (_, url) => {
    expect(await failureOf(openEgress(), url)).toBe('forbidden_address');
  });

  it.each([
    ['file:///etc/passwd', 'bad_url'],
    ['ftp://example.org/', 'bad_url'],
    ['gopher://127.0.0.1:6379/_FLUSHALL', 'bad_url'],
    ['javascript:alert(1)', 'bad_url'],
    ['example.org', 'bad_url'],
    ['', 'bad_url'],
    ['http://user@example.org/', 'credentials'],
    ['http://:secret@example.org/', 'credentials'],
    ['http://example.org:22/', 'forbidden_port'],
    ['http://127.0.0.1:6379/', 'forbidden_port'],
  ])('is refused before anything is looked up: %s', async (url, failure) => {
    const resolveHost: ResolveHost = () => {
      throw new Error('looked up');
    };
    expect(await failureOf(openEgress({ resolveHost }), url)).toBe(failure);
  });

  it('is refused when its name resolves to a private address', async () => {
    const host = await startHost((_request, response) => response.end('secret'));
    const egress = openEgress({ ports: [host.port] });
    expect(await failureOf(egress, `http://localhost:${host.port}/`)).toBe('forbidden_address');
    expect(host.requests).toHaveLength(0);
  });

  it('is judged anew for each connection, on the address that is connected to', async () => {
    const host = await startHost((_request, response) =>
      response.setHeader('connection', 'close').end('secret'),
    );
    let asked = 0;
    const resolveHost: ResolveHost = (_name, _options, callback) => {
      asked += 1;
      callback(null, [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]);
    };
    const egress = openEgress({ ports: [host.port], allowHosts: ['127.0.0.1'], resolveHost });
    const url = `http://rebinding.example:${host.port}/`;
    expect(await failureOf(egress, url)).toBeUndefined();
    expect(await failureOf(egress, url)).toBe('forbidden_address');
    expect([asked, host.requests.length]).toEqual([2, 1]);
  });

  it('is given up at the time limit when its name is never resolved', async () => {
    const egress = openEgress({ resolveHost: () => undefined });
    expect(await failureOf(egress, 'http://silent.example/', { timeoutMs: 200 })).toBe('timeout');
  });

  it('is connected to under its public addresses only', async () => {
    const host = await startHost((_request, response) => response.end('public'));
    const resolveHost: ResolveHost = (_name, _options, callback) =>
      callback(null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]);
    const egress = openEgress({ ports: [host.port], allowHosts: ['127.0.0.1'], resolveHost });
    const answer = await egress.fetch({ url: `http://both.example:${host.port}/`, signal: never });
    expect(answer.bytes.toString()).toBe('public');
  });

  it('is told apart from a name that does not exist', async () => {
    const resolveHost: ResolveHost = (_name, _options, callback) =>
      callback(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []);
    expect(await failureOf(openEgress({ resolveHost }), 'http://nowhere.example/')).toBe('unknown_host');
  });
});

describe('a redirect', () => {
  it('to a private address is refused', async () => {
    const inside = await startHost((_request, response) => response.end('secret'));
    const outside = await startHost((_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.2:${inside.port}/` }).end(),
    );
    const egress = openEgress({
      allowHosts: ['127.0.0.1:*'],
      ports: [80, 443, inside.port],
    });
    expect(await failureOf(egress, outside.origin)).toBe('forbidden_address');
    expect(inside.requests).toHaveLength(0);
  });

  it('from a trusted address to another host is judged as a stranger’s, and gets no headers', async () => {
    const inside = await startHost((_request, response) => response.end('secret'));
    const listed = await startHost((_request, response) => response.end('listed'));
    const trusted = await startHost((request, response) =>
      response
        .writeHead(307, { location: request.url === '/in' ? inside.origin : `${listed.origin}/x` })
        .end(),
    );
    const egress = openEgress({ allowHosts: [`127.0.0.1:${listed.port}`] });
    const headers = { authorization: 'Bearer backend-key' };
    expect(await failureOf(egress, `${trusted.origin}/in`, { isTrusted: true, headers })).toBe(
      'forbidden_port',
    );
    const answer = await egress.fetch({ url: trusted.origin, signal: never, isTrusted: true, headers });
    expect(answer).toMatchObject({ url: `${listed.origin}/x`, status: 200 });
    expect(trusted.requests[0]?.headers.authorization).toBe('Bearer backend-key');
    expect(listed.requests[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ['file:///etc/passwd', 'bad_url'],
    ['http://a:b@127.0.0.1/', 'credentials'],
    ['//[', 'bad_url'],
  ])('to %s is refused', async (location, failure) => {
    const host = await startHost((_request, response) => response.writeHead(301, { location }).end());
    expect(await failureOf(openEgress(openLoopback), host.origin)).toBe(failure);
  });

  it('is followed five times, relative ones too, and no further', async () => {
    const host = await startHost((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(303, { location: `${left - 1}` }).end();
    });
    const egress = openEgress(openLoopback);
    const answer = await egress.fetch({ url: `${host.origin}/5`, signal: never });
    expect([answer.bytes.toString(), answer.url]).toEqual(['there', `${host.origin}/0`]);
    expect(await failureOf(egress, `${host.origin}/6`)).toBe('too_many_redirects');
  });
});

describe('a body', () => {
  it.each([
    ['gzip', gzipSync('你好')],
    ['deflate', deflateSync('你好')],
    ['br', brotliCompressSync('你好')],
    ['zstd', zstdCompressSync('你好')],
    ['identity', Buffer.from('你好')],
  ])('in %s is decompressed', async (encoding, bytes) => {
    const host = await startHost((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(bytes),
    );
    const answer = await openEgress(openLoopback).fetch({ url: host.origin, signal: never });
    expect(answer.bytes.toString()).toBe('你好');
  });

  const zeros = Buffer.alloc(60_000_000);
  it.each([
    ['gzip', gzipSync(zeros)],
    ['deflate', deflateSync(zeros)],
    ['br', brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })],
  ])('that is a %s bomb stops at the limit', async (encoding, bomb) => {
    expect(bomb.length).toBeLessThan(100_000);
    const host = await startHost((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(bomb),
    );
    expect(await failureOf(openEgress(openLoopback), host.origin)).toBe('too_large');
  });

  it('that does not end is dropped at the limit, and its server hears of it', async () => {
    const ends: Promise<unknown>[] = [];
    const host = await startHost((_request, response) => {
      ends.push(once(response, 'close'));
      sendForEver(response);
    });
    expect(await failureOf(openEgress(openLoopback), host.origin)).toBe('too_large');
    await Promise.all(ends);
    expect(ends).toHaveLength(1);
  });

  it('in millions of tiny pieces is dropped', async () => {
    const host = await startHost((_request, response) => {
      response.write('begin');
      // As frames on the wire: the server would join them.
      const frames = '1\r\nx\r\n'.repeat(100_000);
      response.socket?.on('error', () => response.destroy()).write(frames);
    });
    expect(await failureOf(openEgress(openLoopback), host.origin)).toBe('too_large');
  });

  it('that never comes ends at the time limit', async () => {
    const host = await startHost((_request, response) => response.writeHead(200).write('a'));
    expect(await failureOf(openEgress(openLoopback), host.origin, { timeoutMs: 200 })).toBe('timeout');
  });

  it.each([
    ['gzip', 'not gzip at all'],
    ['br', 'not brotli at all'],
    ['gzip, gzip', 'x'],
    ['compress', 'x'],
  ])('that says %s and is not is refused', async (encoding, text) => {
    const host = await startHost((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(text),
    );
    expect(await failureOf(openEgress(openLoopback), host.origin)).toBe('bad_encoding');
  });

  it('that breaks off is an unreachable page', async () => {
    const host = await startHost((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    expect(await failureOf(openEgress(openLoopback), host.origin)).toBe('unreachable');
  });
});

describe('a request', () => {
  it('carries our name and no cookies, even after the server set some', async () => {
    const host = await startHost((_request, response) => response.setHeader('set-cookie', 'a=b').end());
    const egress = openEgress(openLoopback);
    await egress.fetch({ url: host.origin, signal: never });
    await egress.fetch({ url: host.origin, signal: never });
    expect(host.requests.map(({ headers }) => [headers['user-agent'], headers.cookie])).toEqual([
      ['Perigee-Test/1', undefined],
      ['Perigee-Test/1', undefined],
    ]);
  });

  it('ends with its caller’s reason', async () => {
    const controller = new AbortController();
    const host = await startHost(() => controller.abort(new Error('the caller left')));
    const fetching = openEgress(openLoopback).fetch({ url: host.origin, signal: controller.signal });
    await expect(fetching).rejects.toThrow('the caller left');
  });

  it('to an address of the operator reaches private networks and any port, and may carry a body', async () => {
    const host = await startHost((request, response) => {
      response.write(`${request.method} `);
      request.pipe(response);
    });
    const answer = await openEgress().fetch({
      url: host.origin,
      signal: never,
      isTrusted: true,
      method: 'POST',
      body: '{"query":1}',
    });
    expect(answer.bytes.toString()).toBe('POST {"query":1}');
  });

  it('of a stranger is not sent over a connection that was opened in trust', async () => {
    const host = await startHost((_request, response) => response.end('ok'));
    const egress = openEgress({ ports: [host.port] });
    await egress.fetch({ url: host.origin, signal: never, isTrusted: true });
    expect(await failureOf(egress, host.origin)).toBe('forbidden_address');
    expect(host.requests).toHaveLength(1);
  });

  it('to a port where nobody listens is unreachable', async () => {
    const host = await startHost((_request, response) => response.end());
    const egress = openEgress(openLoopback);
    expect(await failureOf(egress, `http://127.0.0.1:${host.port === 9 ? 10 : 9}/`)).toBe('unreachable');
  });
});

/** Writes until the other side is gone. */
function sendForEver(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', write);
  response.on('error', () => response.destroy());
  write();
}
