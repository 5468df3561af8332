import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWebFiles } from '../web-files.ts';
import { createTestApp, type TestApp } from './__fixtures__/create-test-app.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'perigee-static-'));
let opened: TestApp;
let origin = '';

beforeAll(async () => {
  const dist = path.join(folder, 'dist');
  mkdirSync(path.join(dist, 'assets'), { recursive: true });
  writeFileSync(path.join(folder, 'secret.txt'), 'secret');
  writeFileSync(path.join(dist, 'index.html'), '<!doctype html><script>let a;</script><title>app</title>');
  writeFileSync(path.join(dist, 'reference.html'), '<!doctype html><title>reference</title>');
  writeFileSync(path.join(dist, 'assets', 'app-1a.js'), 'plain');
  writeFileSync(path.join(dist, 'assets', 'app-1a.js.br'), 'brotli');
  writeFileSync(path.join(dist, 'assets', 'app-1a.js.gz'), 'gzipped');
  opened = createTestApp({ overrides: { webFiles: await readWebFiles(dist) } });
  origin = await opened.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await opened.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (url: string, headers: Record<string, string> = {}) =>
  opened.app.inject({ method: 'GET', url, headers });

describe('the web app', () => {
  it('is where the server’s root leads', async () => {
    const answer = await get('/');
    expect(answer.statusCode).toBe(302);
    expect(answer.headers.location).toBe('/app/');
  });

  it.each(['/app', '/app/', '/app/keys', '/app/models/moonshot/kimi-k2', '/app/?model=x&mode=chat'])(
    'answers %s with its page',
    async (url) => {
      const answer = await get(url);
      expect(answer.statusCode).toBe(200);
      expect(answer.body).toContain('<title>app</title>');
      expect(answer.headers['cache-control']).toBe('no-cache');
    },
  );

  it('allows scripts of its own and the one inline script, and nothing from or on other hosts', async () => {
    const { headers } = await get('/app/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/=]+'(;|$)/);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("style-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
    });
  });

  it('lets the API reference make its styles, inside a frame of this origin only', async () => {
    const policy = String((await get('/app/reference.html')).headers['content-security-policy']);
    expect(policy).toContain("style-src 'self' 'unsafe-inline'");
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).toMatch(/script-src 'self'(;|$)/);
  });

  it('keeps files that are named by their content for ever, compressed as the client can read', async () => {
    const brotli = await get('/app/assets/app-1a.js', { 'accept-encoding': 'gzip, deflate, br' });
    expect(brotli.body).toBe('brotli');
    expect(brotli.headers).toMatchObject({
      'content-encoding': 'br',
      'content-length': '6',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'Accept-Encoding',
    });
    expect((await get('/app/assets/app-1a.js', { 'accept-encoding': 'br;q=0, gzip' })).body).toBe('gzipped');
    const plain = await get('/app/assets/app-1a.js');
    expect(plain.body).toBe('plain');
    expect(plain.headers.etag).not.toBe(brotli.headers.etag);
  });

  it('sends nothing again that the client has', async () => {
    const etag = String((await get('/app/')).headers.etag);
    const answer = await get('/app/', { 'if-none-match': `"other", W/${etag}` });
    expect(answer.statusCode).toBe(304);
    expect(answer.body).toBe('');
  });

  it('never answers a missing script with a page', async () => {
    const answer = await get('/app/assets/app-0000.js');
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ error: { code: 'route_not_found' } });
  });

  it.each([
    '/app/../secret.txt',
    '/app/%2e%2e/secret.txt',
    '/app/..%2fsecret.txt',
    '/app/assets/..%2f..%2fsecret.txt',
    '/app/assets/%2e%2e%5c%2e%2e%5csecret.txt',
    '/app//secret.txt',
    '/app/secret.txt%00.html',
    '/app/.inputs',
    `/app/${encodeURIComponent(path.join(folder, 'secret.txt'))}`,
  ])('never leaves its folder: %s', async (target) => {
    // Over a socket: clients would tidy such an address up before they send it.
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer.slice(answer.indexOf('\r\n\r\n'))).not.toMatch(/^\s*secret$/);
    expect((await get(target)).body).not.toBe('secret');
  });
});

describe('a server whose web app is not built', () => {
  it('says so, and serves its API', async () => {
    const { app } = createTestApp({ overrides: { webFiles: new Map() } });
    const answer = await app.inject({ method: 'GET', url: '/app/' });
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain('npm run build');
    expect((await app.inject({ method: 'GET', url: '/health' })).statusCode).toBe(200);
  });
});
