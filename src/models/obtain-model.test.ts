import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ModelError } from './model-error.ts';
import { obtainModel, obtainPreset } from './obtain-model.ts';
import type { ModelPreset } from './presets.ts';
import type { ModelProgress } from './progress.ts';

const weights = Buffer.alloc(300_000, 'weights ');
const sha256 = createHash('sha256').update(weights).digest('hex');

let modelsDir = '';
let hub: Server;
let hubUrl = '';
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let progress: ModelProgress[] = [];

beforeEach(async () => {
  modelsDir = mkdtempSync(path.join(tmpdir(), 'perigee-models-'));
  progress = [];
  answer = sendFile(weights);
  hub = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  const address = hub.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  hubUrl = `http://127.0.0.1:${address.port}`;
});
afterEach(async () => {
  hub.closeAllConnections();
  await new Promise((resolve) => hub.close(resolve));
  rmSync(modelsDir, { recursive: true });
});

/** A server that knows ranges, as the hub does. */
const sendFile =
  (content: Buffer) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const isCurrent = request.headers['if-range'] === '"v1"';
    const start = range !== null && isCurrent ? Number(range[1]) : 0;
    response.writeHead(start > 0 ? 206 : 200, { etag: '"v1"', 'content-length': content.length - start });
    response.end(content.subarray(start));
  };

const preset = (changes: Partial<ModelPreset> = {}): ModelPreset => ({
  id: 'tiny',
  weights: 'Tiny',
  fileName: 'tiny.gguf',
  licence: 'MIT',
  sizeBytes: weights.length,
  sha256,
  note: '',
  sources: [{ kind: 'hub', repository: 'owner/tiny', path: 'tiny.gguf' }],
  ...changes,
});

const options = (signal = new AbortController().signal) => ({
  modelsDir,
  hubUrl,
  signal,
  onProgress: (each: ModelProgress) => {
    progress.push(each);
  },
});

const target = () => path.join(modelsDir, 'tiny.gguf');

describe('a preset', () => {
  it('is downloaded, verified and put under its name, with its progress told', async () => {
    const urls: string[] = [];
    answer = (request, response) => {
      urls.push(request.url ?? '');
      sendFile(weights)(request, response);
    };
    const model = await obtainPreset(preset(), options());
    expect(model).toMatchObject({ path: target(), weights: 'Tiny', licence: 'MIT', sha256 });
    expect(readFileSync(target())).toEqual(weights);
    expect(urls).toEqual(['/owner/tiny/resolve/main/tiny.gguf']);
    expect(progress.at(-2)).toEqual({ type: 'bytes', receivedBytes: 300_000, totalBytes: 300_000 });
  });

  it('that lies there already is not asked for again', async () => {
    writeFileSync(target(), weights);
    answer = () => expect.unreachable('the hub was asked');
    expect((await obtainPreset(preset(), options())).sha256).toBe(sha256);
  });

  it('that was damaged on disk is fetched again', async () => {
    writeFileSync(target(), 'damaged');
    await obtainPreset(preset(), options());
    expect(readFileSync(target())).toEqual(weights);
  });

  it('with another digest is refused and leaves nothing under its name', async () => {
    answer = sendFile(Buffer.from('other weights'));
    await expect(obtainPreset(preset(), options())).rejects.toThrow(/not the expected one/);
    expect(existsSync(target())).toBe(false);
  });

  it('is fetched once when two ask at the same time', async () => {
    let requests = 0;
    answer = (request, response) => {
      requests += 1;
      sendFile(weights)(request, response);
    };
    await Promise.all([obtainPreset(preset(), options()), obtainPreset(preset(), options())]);
    expect(requests).toBe(1);
    expect(progress).toContainEqual({ type: 'wait' });
  });

  it('takes over the lock of a process that died', async () => {
    // Even when a process of the same id lives: in a container, a restarted server has the id of the one that died.
    writeFileSync(`${target()}.lock`, String(process.pid));
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(`${target()}.lock`, longAgo, longAgo);
    await obtainPreset(preset(), options());
    expect(existsSync(`${target()}.lock`)).toBe(false);
  });
});

describe('a broken download', () => {
  it('goes on where it stopped', async () => {
    const starts: (string | undefined)[] = [];
    let first: ServerResponse | undefined;
    answer = (request, response) => {
      starts.push(request.headers.range);
      if (starts.length > 1) return sendFile(weights)(request, response);
      response.writeHead(200, { etag: '"v1"', 'content-length': weights.length });
      response.write(weights.subarray(0, 100_000));
      first = response;
    };
    const breakOnce = { ...options(), onProgress: () => first?.destroy() };
    await obtainPreset(preset(), breakOnce);
    expect(readFileSync(target())).toEqual(weights);
    expect(starts[0]).toBeUndefined();
    expect(starts[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('starts anew when the file behind the address has changed', async () => {
    writeFileSync(`${target()}.hub.part`, 'the first bytes of an older file');
    writeFileSync(`${target()}.hub.part.etag`, '"v0"');
    await obtainPreset(preset(), options());
    expect(readFileSync(target())).toEqual(weights);
  });

  it('can be aborted, and keeps what has arrived', async () => {
    const abort = new AbortController();
    answer = (_request, response) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': weights.length });
      response.write(weights.subarray(0, 100_000));
    };
    const withAbort = {
      ...options(abort.signal),
      onProgress: (each: ModelProgress) => {
        if (each.type === 'bytes') abort.abort(new Error('stopped by the user'));
      },
    };
    await expect(obtainPreset(preset(), withAbort)).rejects.toThrow();
    expect(existsSync(target())).toBe(false);
    expect(existsSync(`${target()}.hub.part`)).toBe(true);
  });
});

describe('a file of the operator', () => {
  it('is not read to its end when the server is stopped meanwhile', async () => {
    const file = path.join(modelsDir, 'own.gguf');
    writeFileSync(file, weights);
    const abort = new AbortController();
    const obtained = obtainModel(file, options(abort.signal));
    abort.abort(new Error('the server is shutting down'));
    await expect(obtained).rejects.toThrow();
  });
});

describe('a source that does not work', () => {
  it('is passed over for the next one', async () => {
    answer = (request, response) => {
      if (request.url?.startsWith('/owner/gone/')) response.writeHead(404).end();
      else sendFile(weights)(request, response);
    };
    const gone = { kind: 'hub', repository: 'owner/gone', path: 'x' } as const;
    const there = { kind: 'hub', repository: 'owner/tiny', path: 'x' } as const;
    await obtainPreset(preset({ sources: [gone, there] }), options());
    expect(readFileSync(target())).toEqual(weights);
    expect(progress).toContainEqual(
      expect.objectContaining({ type: 'source-failed', reason: expect.stringContaining('status 404') }),
    );
  });

  it('is named with its reason, and with what to do, when no other is left', async () => {
    hub.closeAllConnections();
    await new Promise((resolve) => hub.close(resolve));
    const failure = obtainPreset(preset(), options());
    await expect(failure).rejects.toThrow(ModelError);
    await expect(failure).rejects.toThrow(/could not be reached[\s\S]*PERIGEE_MODEL/);
    hub.listen(0);
  });
});

describe('the setting', () => {
  it('may be the path of any file', async () => {
    const file = path.join(modelsDir, 'my-own.gguf');
    writeFileSync(file, weights);
    expect(await obtainModel(file, options())).toMatchObject({ path: file, weights: 'my-own', sha256 });
  });

  it('is read once: an unchanged file is known again, an exchanged one is not, and nothing is left beside it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'perigee-own-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'my-own.gguf');
    writeFileSync(file, weights);
    await obtainModel(file, options());
    const records = readdirSync(modelsDir).filter((name) => name.endsWith('.sha256.json'));
    expect(records).toHaveLength(1);
    // A record that says something else proves that it is believed while the file is the same.
    const recordPath = path.join(modelsDir, records[0] ?? '');
    const record = JSON.parse(readFileSync(recordPath, 'utf8'));
    writeFileSync(recordPath, JSON.stringify({ ...record, sha256: 'remembered' }));
    expect(await obtainModel(file, options())).toMatchObject({ sha256: 'remembered' });
    rmSync(file);
    writeFileSync(file, weights);
    utimesSync(file, record.modifiedMs / 1_000, record.modifiedMs / 1_000 + 1);
    expect(await obtainModel(file, options())).toMatchObject({ sha256 });
    expect(readdirSync(folder)).toEqual(['my-own.gguf']);
  });

  it('that names a missing file or an unknown preset is an error that says so', async () => {
    await expect(obtainModel(path.join(modelsDir, 'no.gguf'), options())).rejects.toThrow(/There is no file/);
    await expect(obtainModel('gpt-9', options())).rejects.toThrow(/no preset `gpt-9`.*smollm2-135m/);
  });
});
