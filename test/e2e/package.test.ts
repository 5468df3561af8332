/** What `npm pack` makes of this repository works where it is installed: below `node_modules`, without sources. */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageManifest from '../../package.json' with { type: 'json' };
import { chineseFont, makePdf, ucs2 } from '../../src/extract/__fixtures__/make-pdf.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const tool = (name: string): string => path.join(root, 'node_modules', '.bin', name);

let folder = '';
let installed = '';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perigee-package-'));
  const staged = path.join(folder, 'staged');
  mkdirSync(staged);
  for (const name of ['package.json', ...packageManifest.files.filter((file) => file !== 'dist')]) {
    cpSync(path.join(root, name), path.join(staged, name), { recursive: true });
  }
  await run(tool('tsc'), ['-p', 'tsconfig.build.json', '--outDir', path.join(staged, 'dist')], { cwd: root });
  const { stdout } = await run('npm', ['pack', '--silent'], { cwd: staged });
  installed = path.join(folder, 'node_modules', 'perigee');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['xzf', path.join(staged, stdout.trim()), '--strip-components=1', '-C', installed]);
  // Its dependencies, as npm would have put them there.
  symlinkSync(path.join(root, 'node_modules'), path.join(installed, 'node_modules'));
}, 180_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function perigee(arguments_: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return run(process.execPath, [path.join(installed, 'bin', 'perigee.js'), ...arguments_], {
    env: { ...process.env, PERIGEE_DATA_DIR: path.join(folder, 'data'), ...environment },
  });
}

describe('the npm package', () => {
  it('holds the program and its documents, and neither sources nor tests', () => {
    expect(
      readdirSync(installed)
        .filter((name) => name !== 'node_modules')
        .toSorted(),
    ).toEqual(['package.json', ...packageManifest.files.map((file) => file.split('/')[0])].toSorted());
    expect(readdirSync(path.join(installed, 'web'))).toEqual(['dist']);
    expect(existsSync(path.join(installed, 'web', 'dist', 'index.html'))).toBe(true);
    const files = readdirSync(path.join(installed, 'dist'), { recursive: true }).map(String);
    expect(files.filter((file) => /\.ts$|\.test\.|fixtures|testing|scripted/.test(file))).toEqual([]);
    expect(existsSync(path.join(installed, 'dist', 'main.js'))).toBe(true);
  });

  it('runs, database threads included', async () => {
    expect((await perigee(['--version'])).stdout).toBe(`${packageManifest.version}\n`);
    await expect(perigee(['keys', 'create', '--json'])).rejects.toMatchObject({
      stderr: 'There is no such account.\n',
    });
    expect((await perigee(['keys', 'list', '--json'])).stdout).toBe('[]\n');
  }, 60_000);

  it('reads Chinese documents and finds them, threads and tables of characters included', async () => {
    const documents = path.join(folder, 'documents');
    mkdirSync(documents);
    const pdf = makePdf([[ucs2('长春花属的花有五个花瓣')]], {
      font: chineseFont('UniGB-UCS2-H'),
      title: 'Flowers',
    });
    writeFileSync(path.join(documents, 'flowers.pdf'), pdf);
    expect((await perigee(['search', 'index', documents])).stdout).toMatch(/^1 indexed/);
    expect((await perigee(['search', 'query', '花瓣'])).stdout).toMatch(/^Flowers\n/);
  }, 120_000);

  it('runs on the bundled Node.js when it is started by an older one', async () => {
    // The older one says it is; everything after that is real.
    const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } })`;
    const command = path.join(installed, 'bin', 'perigee.js');
    const preload = `data:text/javascript,${encodeURIComponent(older)}`;
    const { stdout } = await run(process.execPath, ['--import', preload, command, '--version']);
    expect(stdout).toBe(`${packageManifest.version}\n`);
    await expect(
      run(process.execPath, ['--import', preload, command, 'models', 'rm', 'no-such-preset']),
    ).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('There is no preset') });
  }, 60_000);
});
