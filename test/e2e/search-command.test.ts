/** `perigee search` as an operator uses it: a process for each command, one data folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHost } from '../../src/egress/__fixtures__/loopback-host.ts';
import { type FinishedCommand, runCommand } from './run-command.ts';

async function openFolder(): Promise<{
  readonly documents: string;
  search(...arguments_: readonly string[]): Promise<FinishedCommand>;
}> {
  const root = await mkdtemp(path.join(tmpdir(), 'perigee-search-'));
  onTestFinished(async () => await rm(root, { recursive: true, force: true }));
  const documents = path.join(root, 'documents');
  await mkdir(documents);
  await writeFile(path.join(documents, 'tides.md'), '# Tides\n\nThe harbour floods at spring tide.');
  await writeFile(path.join(documents, 'broken.pdf'), '%PDF-1.4');
  return {
    documents,
    search: async (...arguments_) =>
      await runCommand(['search', ...arguments_], { PERIGEE_DATA_DIR: path.join(root, 'data') }),
  };
}

describe('perigee search', { timeout: 120_000 }, () => {
  it('indexes a folder, says what is there, finds it and forgets it', async () => {
    const { documents, search } = await openFolder();
    const indexed = await search('index', documents, '--base-url', 'https://wiki.example/docs');
    expect(indexed).toEqual({
      exitCode: 0,
      output: '1 indexed, 0 unchanged, 0 removed, 1 skipped\n',
      notes: '  skipped https://wiki.example/docs/broken.pdf: The PDF file is damaged.\n',
    });
    const status = await search('status', '--json');
    expect(JSON.parse(status.output)).toEqual([
      { address: documents, documents: 1, indexed_at: expect.stringMatching(/^\d{4}-/) },
    ]);
    const found = await search('query', 'harbour', 'floods');
    expect(found.output).toMatch(/^Tides\n {2}https:\/\/wiki\.example\/docs\/tides\.md\n/);
    expect(await search('remove', documents)).toMatchObject({ exitCode: 0 });
    expect(await search('query', 'harbour')).toMatchObject({ output: '', notes: 'Nothing was found.\n' });
    expect(await search('remove', documents)).toMatchObject({ exitCode: 1 });
  });

  it('indexes a site in the operator’s network', async () => {
    const { search } = await openFolder();
    const site = await startHost((_request, response) =>
      response.end('<title>Tides</title><p>Spring tide at noon.'),
    );
    expect(await search('index', site.origin, '--pages', '3')).toMatchObject({
      exitCode: 0,
      output: '1 indexed, 0 unchanged, 0 removed, 0 skipped\n',
    });
  });

  it.each([
    [['index', '/nowhere/at/all'], 'is neither a folder nor an http address'],
    [['index', 'http://127.0.0.1:9/'], 'could not be reached'],
    [['index', '.', '--depth', 'deep'], 'must be a whole number'],
  ])('%j says what is wrong in one line', async (arguments_, text) => {
    const { search } = await openFolder();
    const { exitCode, notes } = await search(...arguments_);
    expect(exitCode).toBe(1);
    expect(notes).toContain(text);
  });
});
