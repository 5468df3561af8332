/** `perigee accounts`: what an operator does on the server's machine, beside a running server or without one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

let dataDir = '';
beforeAll(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-accounts-'));
});
afterAll(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

const run = async (...arguments_: string[]) =>
  await runCommand(['accounts', ...arguments_], {
    PERIGEE_DATA_DIR: dataDir,
    PERIGEE_PUBLIC_URL: 'https://ai.example.org',
  });

const json = async (...arguments_: string[]) => {
  const { exitCode, output, notes } = await run(...arguments_, '--json');
  expect({ exitCode, notes }).toEqual({ exitCode: 0, notes: '' });
  return JSON.parse(output);
};

describe('perigee accounts', () => {
  it('notes a variable that is no setting, and goes on', async () => {
    const environment = { PERIGEE_DATA_DIR: dataDir, PERIGEE_DATADIR: '/elsewhere' };
    const listed = await runCommand(['accounts', 'list', '--json'], environment);
    expect(listed).toEqual({
      exitCode: 0,
      output: '[]\n',
      notes: 'PERIGEE_DATADIR is no setting and changes nothing; did you mean PERIGEE_DATA_DIR?\n',
    });
  });

  it('makes, lists, pays, disables and enables accounts', { timeout: 120_000 }, async () => {
    const made = await json('create', 'Ada@example.org', '--name', 'Ada', '--admin', '--credit', '2.5');
    expect(made).toMatchObject({
      id: 1,
      email: 'ada@example.org',
      is_admin: true,
      balance_usd: '2.500000000',
    });
    expect(made.password).toMatch(/^[\w-]{24}$/);
    const chosen = await json('create', 'bob@example.org', '--password', 'chosen by hand');
    expect(chosen).not.toHaveProperty('password');
    const listed = await json('list');
    expect(listed.map(({ id }: { id: number }) => id)).toEqual([2, 1]);
    expect(await json('list', '--search', 'bob')).toHaveLength(1);
    await json('grant', 'bob@example.org', '5', '--once-key', 'x', '--note', 'hello');
    const repeated = await run('grant', '2', '5', '--once-key', 'x');
    expect(repeated.output).toContain('5.000000000 USD');
    expect(repeated.notes).toContain('nothing was booked now');
    expect(await json('disable', 'bob@example.org')).toMatchObject({ state: 'disabled' });
    expect(await json('enable', '2')).toMatchObject({ state: 'active' });
    const last = await run('disable', 'ada@example.org');
    expect(last).toMatchObject({ exitCode: 1, notes: expect.stringContaining('last administrator') });
  });

  it('prints a link for a new password', { timeout: 60_000 }, async () => {
    const { url, expires_at: expiresAt } = await json('reset-link', 'ada@example.org');
    expect(url).toMatch(/^https:\/\/ai\.example\.org\/app\/reset-password\?token=[\w-]{32}$/);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
  });

  it('says where a link leads when no public address is set, and takes another port', async () => {
    const local = async (...arguments_: string[]) =>
      await runCommand(['accounts', 'reset-link', 'ada@example.org', ...arguments_], {
        PERIGEE_DATA_DIR: dataDir,
      });
    const { output, notes } = await local('--port', '9797');
    expect(output).toMatch(/^http:\/\/127\.0\.0\.1:9797\/app\/reset-password\?token=/);
    expect(notes).toContain('--port');
  }, 60_000);

  it('names the account of a new key by its address, too', async () => {
    const environment = { PERIGEE_DATA_DIR: dataDir };
    const made = await runCommand(['keys', 'create', '--account', 'Bob@example.org', '--json'], environment);
    expect(JSON.parse(made.output)).toMatchObject({ account: 2 });
    const unknown = await runCommand(['keys', 'create', '--account', 'nobody@example.org'], environment);
    expect(unknown.notes).toMatch(/no account with the e-mail address nobody@example.org/);
  }, 60_000);

  it.each([
    [['reset-link', 'nobody@example.org'], /no account with the e-mail address nobody@example.org/],
    [['grant', '1', 'much'], /no amount in US dollars|is not an amount/],
    [['grant', '99', '1'], /no such account/],
    [['create', 'nobody'], /is not an e-mail address/],
  ])('says in one line what is wrong with %j', { timeout: 60_000 }, async (arguments_, text) => {
    const { exitCode, notes } = await run(...arguments_);
    expect(exitCode).toBe(1);
    expect(notes).toMatch(text);
    expect(notes).not.toMatch(/\n\s+at /);
  });
});
