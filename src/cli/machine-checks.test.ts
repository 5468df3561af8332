import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../config.ts';
import { findVectors, machineChecks } from './machine-checks.ts';

it.each([
  ['fpu sse4_2 avx', undefined],
  ['avx avx2 fma', 'AVX2'],
  ['avx avx2 fma avx512f avx512cd avx512er avx512pf', 'AVX2'],
  ['avx avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl', 'AVX-512'],
])('doctor promises of %s what the engine has a build for: %s', (flags, vectors) => {
  expect(findVectors(new Set(flags.split(' ')))).toBe(vectors);
});

describe('a port that is taken', () => {
  /** What doctor says of a port where a server answers `GET /ready` like that. */
  async function checkPort(status: number, body: string) {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/ready' ? status : 404).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const config = loadConfig({ flags: { port }, environment: {} });
    return await machineChecks.find(({ name }) => name === 'Port')?.run(config);
  }

  it('is right when Perigee runs there', async () => {
    expect(await checkPort(200, '{"status":"ready","checks":[]}')).toMatchObject({ state: 'ok' });
  });

  it('is a warning that says where to look when Perigee runs there and cannot answer', async () => {
    expect(await checkPort(503, '{"status":"not_ready","checks":[]}')).toMatchObject({
      state: 'warn',
      mend: expect.stringContaining('/ready says why'),
    });
  });

  it.each(['hello', '{"status":"fine"}'])('has another program when that answers %s', async (body) => {
    expect(await checkPort(200, body)).toMatchObject({
      state: 'fail',
      mend: expect.stringContaining('--port'),
    });
  });
});
