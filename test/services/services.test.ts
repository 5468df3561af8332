import { connect } from 'node:net';
import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';

describe('the test services', () => {
  it('brought a PostgreSQL server that syncs to disk', async () => {
    const client = new pg.Client({ connectionString: inject('postgresUrl') });
    await client.connect();
    const { rows } = await client.query<{ fsync: string }>('show fsync');
    await client.end();
    expect(rows).toEqual([{ fsync: 'on' }]);
  });

  it('brought a Redis server', async () => {
    const { hostname, port } = new URL(inject('redisUrl'));
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('PING\r\n'));
      socket.once('error', reject);
      socket.once('data', (chunk: Buffer) => {
        socket.destroy();
        resolve(chunk.toString());
      });
    });
    expect(answer).toBe('+PONG\r\n');
  });
});
