import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type StoreKind, storeKinds } from '../../../test/services/test-stores.ts';
import { buildFiles } from '../../build-files.ts';
import { makeDocx, paragraph } from '../../extract/__fixtures__/make-office.ts';
import { chineseFont, makePdf, ucs2 } from '../../extract/__fixtures__/make-pdf.ts';
import type { FileService } from '../../files/file-service.ts';
import { noFiles } from '../__fixtures__/no-platform.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';
import type { HttpSettings } from '../http-dependencies.ts';

interface FilesApp extends PlatformApp {
  readonly dataDir: string;
  upload(content: string | Uint8Array, options?: UploadOptions): ReturnType<PlatformApp['send']>;
  /** Everything that is on the disk for files. */
  listDisk(): Promise<readonly string[]>;
}

interface UploadOptions {
  readonly filename?: string;
  readonly purpose?: string | null;
  readonly isPurposeFirst?: boolean;
  readonly secret?: string;
}

async function openFilesApp(
  kind: StoreKind,
  limits: Partial<Parameters<typeof buildFiles>[1]> = {},
  settings: Partial<HttpSettings> = {},
): Promise<FilesApp> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'perigee-files-'));
  onTestFinished(async () => await rm(dataDir, { recursive: true, force: true }));
  // The application wants its services before it has a store.
  let service: FileService = noFiles;
  const files: FileService = {
    ...noFiles,
    get bytesMax() {
      return service.bytesMax;
    },
    assertRoom: (...values) => service.assertRoom(...values),
    receive: (...values) => service.receive(...values),
    store: (...values) => service.store(...values),
    list: (...values) => service.list(...values),
    find: (...values) => service.find(...values),
    remove: (...values) => service.remove(...values),
    readContent: (...values) => service.readContent(...values),
  };
  const app = await openPlatformApp(kind, { overrides: { files }, settings });
  let idCount = 0;
  let nowMs = Date.UTC(2026, 0, 2);
  service = buildFiles(
    app.store,
    {
      dataDir,
      fileBytesMax: 2 * 1_048_576,
      filesPerAccountMax: 100,
      fileBytesPerAccountMax: 1e9,
      filesS3Url: undefined,
      filesS3Region: 'us-east-1',
      filesS3AccessKeyId: undefined,
      filesS3SecretAccessKey: undefined,
      ...limits,
    },
    {
      ids: { next: () => (++idCount).toString(16).padStart(24, '0') },
      now: () => (nowMs += 1_000),
      onError: (error) => {
        throw error;
      },
    },
  );
  const built = service;
  onTestFinished(async () => await built.close());
  return {
    ...app,
    dataDir,
    listDisk: async () =>
      (await readdir(dataDir, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .toSorted(),
    upload: async (content, options = {}) =>
      await app.send(
        { method: 'POST', url: '/v1/files', ...(await encodeForm(content, options)) },
        options.secret ?? app.key,
      ),
  };
}

async function encodeForm(content: string | Uint8Array, options: UploadOptions) {
  const { filename = 'a.txt', purpose = 'file-extract', isPurposeFirst = false } = options;
  const form = new FormData();
  if (isPurposeFirst && purpose !== null) form.set('purpose', purpose);
  form.set('file', new Blob([typeof content === 'string' ? content : new Uint8Array(content)]), filename);
  if (!isPurposeFirst && purpose !== null) form.set('purpose', purpose);
  const encoded = new Response(form);
  return {
    payload: Buffer.from(await encoded.arrayBuffer()),
    headers: { 'content-type': encoded.headers.get('content-type') ?? '' },
  };
}

const errorOf = (answer: { json(): { error: { message: string; param?: string } } }) => answer.json().error;

describe.each(storeKinds)('uploaded files on %s', (kind) => {
  it('are read, listed, shown and really deleted', async () => {
    const app = await openFilesApp(kind);
    const pdf = makePdf([[ucs2('长春花属的花')]], { font: chineseFont('UniGB-UCS2-H'), title: 'Flowers' });
    const uploaded = await app.upload(pdf, { filename: '花.pdf' });
    expect(uploaded.statusCode).toBe(200);
    const file = uploaded.json();
    expect(file).toEqual({
      id: 'file-000000000000000000000001',
      object: 'file',
      bytes: pdf.length,
      created_at: expect.any(Number),
      filename: '花.pdf',
      purpose: 'file-extract',
      status: 'ready',
      status_details: '',
    });
    const content = await app.send({ url: `/v1/files/${file.id}/content` });
    expect(content.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(JSON.parse(content.body)).toEqual({
      content: '长春花属的花',
      file_type: 'application/pdf',
      filename: '花.pdf',
      title: 'Flowers',
      type: 'file',
    });
    expect((await app.send({ url: `/v1/files/${file.id}` })).json()).toEqual(file);
    expect((await app.send({ url: '/v1/files' })).json()).toEqual({
      object: 'list',
      data: [file],
      first_id: file.id,
      last_id: file.id,
      has_more: false,
    });
    expect(await app.listDisk()).toEqual([`${file.id}.bytes`, `${file.id}.json`]);
    const deleted = await app.send({ method: 'DELETE', url: `/v1/files/${file.id}` });
    expect(deleted.json()).toEqual({ id: file.id, object: 'file', deleted: true });
    expect(await app.listDisk()).toEqual([]);
    for (const place of ['', '/content']) {
      expect((await app.send({ url: `/v1/files/${file.id}${place}` })).statusCode).toBe(404);
    }
    expect((await app.send({ method: 'DELETE', url: `/v1/files/${file.id}` })).statusCode).toBe(404);
  });

  it('are nobody else’s', async () => {
    const app = await openFilesApp(kind);
    const { id } = (await app.upload('mine')).json();
    const stranger = await app.addStranger();
    for (const [method, url] of [
      ['GET', `/v1/files/${id}`],
      ['GET', `/v1/files/${id}/content`],
      ['DELETE', `/v1/files/${id}`],
      ['GET', `/v1/files?after=${id}`],
    ] as const) {
      const answer = await app.send({ method, url }, stranger);
      expect(answer.statusCode).toBe(404);
      expect(errorOf(answer).message).toBe('Not found the file in your account.');
    }
    expect((await app.send({ url: '/v1/files' }, stranger)).json().data).toEqual([]);
    expect((await app.send({ url: `/v1/files/${id}` })).statusCode).toBe(200);
  });

  it('are listed in pages, either way round', async () => {
    const app = await openFilesApp(kind);
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) ids.push((await app.upload(name)).json().id);
    const list = async (query: string) => {
      const { data, has_more: hasMore } = (await app.send({ url: `/v1/files?${query}` })).json();
      return [data.map(({ id }: { id: string }) => ids.indexOf(id)), hasMore];
    };
    expect(await list('limit=2')).toEqual([[4, 3], true]);
    expect(await list(`limit=2&after=${ids[3]}`)).toEqual([[2, 1], true]);
    expect(await list(`limit=2&after=${ids[1]}`)).toEqual([[0], false]);
    expect(await list(`order=asc&limit=3&after=${ids[0]}`)).toEqual([[1, 2, 3], true]);
    expect(await list('purpose=batch')).toEqual([[], false]);
    for (const query of ['limit=0', 'limit=x', 'order=up']) {
      expect((await app.send({ url: `/v1/files?${query}` })).statusCode).toBe(400);
    }
  });

  it('never exceed their quotas, however many come at once', async () => {
    const app = await openFilesApp(kind, { filesPerAccountMax: 3 });
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => app.upload(`text ${index}`)));
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(3);
    for (const answer of answers.filter(({ statusCode }) => statusCode !== 200)) {
      expect([answer.statusCode, errorOf(answer).message]).toEqual([
        400,
        'The number of files you have uploaded exceeded the max file count 3, please delete previous uploaded files',
      ]);
    }
    expect(await app.listDisk()).toHaveLength(6);
    const small = await openFilesApp(kind, { fileBytesPerAccountMax: 10 });
    expect((await small.upload('12345678')).statusCode).toBe(200);
    expect(errorOf(await small.upload('12345678')).message).toContain('exceeded the max size 10 bytes');
  });
});

describe('an upload', () => {
  it('may name its purpose before or after the file', async () => {
    const app = await openFilesApp('sqlite');
    expect((await app.upload('text', { isPurposeFirst: true })).statusCode).toBe(200);
    expect((await app.upload('text')).statusCode).toBe(200);
  });

  it.each([
    [
      'of another purpose',
      'text',
      { purpose: 'batch' },
      "Invalid purpose: only 'file-extract' accepted",
      'purpose',
    ],
    [
      'without a purpose',
      'text',
      { purpose: null },
      "Invalid purpose: only 'file-extract' accepted",
      'purpose',
    ],
    ['of nothing', '', {}, 'File size is zero, please confirm and re-upload the file', 'file'],
    [
      'that is too large',
      Buffer.alloc(2 * 1_048_576 + 1, 'x'),
      {},
      'File size is too large, max file size is 2MB, please confirm and re-upload the file',
      'file',
    ],
    [
      'that is much too large',
      Buffer.alloc(5 * 1_048_576, 'x'),
      {},
      'File size is too large, max file size is 2MB, please confirm and re-upload the file',
      'file',
    ],
  ] as const)(
    '%s is refused in Moonshot’s words, and nothing is kept',
    async (_, content, options, message, param) => {
      const app = await openFilesApp('sqlite');
      const answer = await app.upload(content, options);
      expect([answer.statusCode, errorOf(answer)]).toMatchObject([400, { message, param }]);
      expect(await app.listDisk()).toEqual([]);
    },
  );

  it('that is no form is refused', async () => {
    const app = await openFilesApp('sqlite');
    const send = async (contentType: string, payload: string) =>
      (
        await app.send({
          method: 'POST',
          url: '/v1/files',
          payload,
          headers: { 'content-type': contentType },
        })
      ).statusCode;
    expect(await send('application/json', '{}')).toBe(415);
    expect(await send('multipart/form-data', 'x')).toBe(415);
    expect(await send('multipart/form-data; boundary=b', '--b\r\nbroken')).toBe(400);
    expect(await send('multipart/form-data; boundary=b', '--b--\r\n')).toBe(400);
    expect(await app.listDisk()).toEqual([]);
  });

  it('that breaks off in a file which nobody wants is refused, and ends no more than itself', async () => {
    const app = await openFilesApp('sqlite');
    // What nobody listens to would end the whole process.
    const uncaught: Error[] = [];
    const onUncaught = (error: Error): void => void uncaught.push(error);
    process.prependOnceListener('uncaughtException', onUncaught);
    onTestFinished(() => void process.off('uncaughtException', onUncaught));
    const part = (name: string) =>
      `--b\r\ncontent-disposition: form-data; name="${name}"; filename="a.txt"\r\n\r\ntext`;
    for (const payload of [part('other'), `${part('file')}\r\n${part('file')}`]) {
      const answer = await app.send({
        method: 'POST',
        url: '/v1/files',
        payload,
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
      });
      expect([answer.statusCode, errorOf(answer).message]).toEqual([
        400,
        'Invalid request: the form is not complete, or not a form.',
      ]);
    }
    expect(uncaught).toEqual([]);
    expect(await app.listDisk()).toEqual([]);
  });

  it('without text is kept with the reason, and has no content', async () => {
    const app = await openFilesApp('sqlite');
    const file = (await app.upload(Buffer.from('89504e470d0a1a0a00', 'hex'), { filename: 'a.png' })).json();
    expect(file).toMatchObject({
      status: 'error',
      status_details: expect.stringContaining('Images are not read'),
    });
    const content = await app.send({ url: `/v1/files/${file.id}/content` });
    expect(content.statusCode).toBe(400);
    expect(errorOf(content).message).toContain('Failed to extract file: Images are not read');
    await app.send({ method: 'DELETE', url: `/v1/files/${file.id}` });
    expect(await app.listDisk()).toEqual([]);
  });

  it.each([
    ['an old Word file', 'd0cf11e0a1b11ae100', 'a.doc', 'save it as .docx'],
    ['a Kindle book', `${'00'.repeat(60)}424f4f4b4d4f4249`, 'a.mobi', 'no format that is read'],
    ['an archive', `504b0506${'00'.repeat(18)}`, 'a.zip', 'no Word, Excel, PowerPoint or EPUB file'],
  ])('of %s is told what is read', async (_, hex, filename, reason) => {
    const app = await openFilesApp('sqlite');
    const file = (await app.upload(Buffer.from(hex, 'hex'), { filename })).json();
    expect(file).toMatchObject({ status: 'error', status_details: expect.stringContaining(reason) });
    expect(file.status_details).toContain(
      'Files that are read: PDF, DOCX, XLSX, PPTX, EPUB, HTML, Markdown, CSV, JSON and all text.',
    );
  });

  it('keeps every character, also where its text is written in pieces', async () => {
    const app = await openFilesApp('sqlite');
    const written = `x${'😀"\\\n红'.repeat(60_000)}`;
    const { id } = (
      await app.upload(makeDocx(paragraph(written.replaceAll('\n', ' '))), { filename: 'a.docx' })
    ).json();
    const { content } = JSON.parse((await app.send({ url: `/v1/files/${id}/content` })).body);
    const hash = (value: string): string => createHash('sha256').update(value).digest('hex');
    expect(hash(content)).toBe(hash(written.replaceAll('\n', ' ')));
  });

  it('needs the scope `files`', async () => {
    const app = await openFilesApp('sqlite');
    const created = await app.send(
      { method: 'POST', url: '/v1/keys', payload: { scopes: ['chat'] } },
      app.managementKey,
    );
    const answer = await app.upload('text', { secret: created.json().data.key });
    expect([answer.statusCode, errorOf(answer).message]).toEqual([403, expect.stringContaining('`files`')]);
  });

  it('that its sender breaks off leaves nothing behind', async () => {
    const app = await openFilesApp('sqlite');
    const upload = (await listen(app))({ 'content-length': '1000000' });
    await vi.waitFor(async () => expect(await app.listDisk()).toHaveLength(1));
    upload.destroy();
    await vi.waitFor(async () => expect(await app.listDisk()).toEqual([]));
    expect((await app.send({ url: '/v1/files' })).json().data).toEqual([]);
  });

  it('that stalls is given up with an answer, and leaves nothing behind', async () => {
    const app = await openFilesApp('sqlite', {}, { uploadIdleMs: 300 });
    const upload = (await listen(app))({ 'content-length': '1000000' });
    const [status, body] = await readAnswer(upload);
    expect([status, JSON.parse(body).error.message]).toEqual([
      400,
      'Invalid request: the upload stalled, nothing of it came for 0.3 seconds.',
    ]);
    expect(await app.listDisk()).toEqual([]);
  });

  it('without a declared length is read no further than one with it', async () => {
    const app = await openFilesApp('sqlite');
    const upload = (await listen(app))({ 'transfer-encoding': 'chunked' });
    const endless = setInterval(() => upload.write(Buffer.alloc(500_000)), 5);
    onTestFinished(() => clearInterval(endless));
    // Whoever does not stop may miss the answer, but is cut off.
    await new Promise((resolve) => upload.once('close', resolve));
    await vi.waitFor(async () => expect(await app.listDisk()).toEqual([]));
  });

  it('waits when its account has eight others under way, and nobody else does', async () => {
    const app = await openFilesApp('sqlite');
    const start = await listen(app);
    const uploads = Array.from({ length: 8 }, () => start({ 'content-length': '1000000' }));
    await vi.waitFor(async () => expect(await app.listDisk()).toHaveLength(8));
    const ninth = await app.upload('text');
    expect([ninth.statusCode, ninth.headers['retry-after']]).toEqual([429, '1']);
    const stranger = await app.addStranger();
    expect((await app.upload('text', { secret: stranger })).statusCode).toBe(200);
    for (const upload of uploads) upload.destroy();
    await vi.waitFor(async () => expect((await app.upload('text')).statusCode).toBe(200));
  });
});

type StartUpload = (headers: Record<string, string>) => ClientRequest;

/** Over TCP: a form whose file has begun and has no end yet. */
async function listen(app: FilesApp): Promise<StartUpload> {
  await app.app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => await app.app.close());
  const address = app.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on TCP');
  return (headers) => {
    const upload = httpRequest({
      port: address.port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/files',
      headers: {
        authorization: `Bearer ${app.key}`,
        'content-type': 'multipart/form-data; boundary=b',
        ...headers,
      },
    });
    // The server may close what it has answered, and so does the end of the test.
    upload.on('error', () => undefined);
    onTestFinished(() => void upload.destroy());
    upload.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n');
    upload.write(randomBytes(100_000));
    return upload;
  };
}

async function readAnswer(upload: ClientRequest): Promise<readonly [status: number, body: string]> {
  const answer = await new Promise<IncomingMessage>((resolve) => upload.once('response', resolve));
  return [answer.statusCode ?? 0, await text(answer)];
}
