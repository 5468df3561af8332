import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readWebFiles } from './web-files.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'perigee-web-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the table of web files', () => {
  it('is empty where nothing was built', async () => {
    expect((await readWebFiles(path.join(folder, 'missing'))).size).toBe(0);
  });

  it('names what may be sent, with its compressed copies and the hashes of inline scripts', async () => {
    mkdirSync(path.join(folder, 'assets'));
    mkdirSync(path.join(folder, '.vite'));
    writeFileSync(path.join(folder, 'index.html'), '<script>alert(1)</script><script src="x.js"></script>');
    writeFileSync(path.join(folder, 'assets', 'app-1a2b.js'), 'code');
    writeFileSync(path.join(folder, 'assets', 'app-1a2b.js.br'), 'br');
    writeFileSync(path.join(folder, '.vite', 'manifest.json'), '{}');
    writeFileSync(path.join(folder, 'notes.exe'), 'no');
    const files = await readWebFiles(folder);
    expect([...files.keys()].toSorted()).toEqual(['assets/app-1a2b.js', 'index.html']);
    expect(files.get('assets/app-1a2b.js')).toMatchObject({
      isImmutable: true,
      sizeBytes: 4,
      encodings: [{ name: 'br', sizeBytes: 2 }],
    });
    // `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`
    expect(files.get('index.html')?.scriptHashes).toEqual([
      'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=',
    ]);
  });
});
