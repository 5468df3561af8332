/** A PostgreSQL cluster of the tests' own: in a temporary folder, on a free loopback port, gone afterwards. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { findProgram, postgresFolders } from './find-program.ts';
import { findFreePort } from './free-port.ts';
import { installPackage } from './install-package.ts';
import { endProcess, type Service, waitUntilReady } from './service.ts';

const startTimeoutMs = 30_000;

/** Throws when there is no PostgreSQL and none can be installed; never skips in silence. */
export async function startPostgres(): Promise<Service> {
  const { initdb, postgres } = findPostgres();
  const root = mkdtempSync(path.join(tmpdir(), 'perigee-postgres-'));
  const dataDir = path.join(root, 'data');
  const user = findServerUser();
  if (user !== undefined) {
    chownSync(root, user.uid, user.gid);
  }
  chmodSync(root, 0o700);
  const as = user ?? {};
  execFileSync(
    initdb,
    [
      '--pgdata',
      dataDir,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...as, cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const port = await findFreePort();
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${root}`,
    // Test files run side by side, each with a pool of its own.
    'max_connections=300',
    'shared_buffers=64MB',
  ];
  let output = '';
  const child = spawn(postgres, ['-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])], {
    ...as,
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-10_000);
  });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const stop = async (): Promise<void> => {
    // "Fast" shutdown: ends the sessions that tests left open.
    await endProcess(child, 'SIGINT');
    rmSync(root, { recursive: true, force: true });
  };
  try {
    await waitUntilReady(child, async () => await ping(url), {
      name: 'PostgreSQL',
      output: () => output,
      timeoutMs: startTimeoutMs,
    });
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { url, stop };
}

function findPostgres(): { readonly initdb: string; readonly postgres: string } {
  const find = () => ({
    initdb: findProgram(['initdb'], postgresFolders()),
    postgres: findProgram(['postgres'], postgresFolders()),
  });
  let found = find();
  if (found.initdb === undefined || found.postgres === undefined) {
    installPackage('postgresql', 'the PostgreSQL server (programs `initdb` and `postgres`)');
    found = find();
  }
  const { initdb, postgres } = found;
  if (initdb === undefined || postgres === undefined) {
    throw new Error('The package postgresql is installed, but `initdb` or `postgres` was not found.');
  }
  return { initdb, postgres };
}

/** PostgreSQL refuses to run as root; its package brings the user `postgres` for that. */
function findServerUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

async function ping(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.end();
}
