/** The official OpenAI client's files, and Moonshot's own program for them, against the real server and the real model. */
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chineseFont, makePdf, ucs2 } from '../../src/extract/__fixtures__/make-pdf.ts';
import { modelName, type RunningServer, startServer } from '../e2e/running-server.ts';

// The model shares the machine with the other tests; nothing here is about its speed.
vi.setConfig({ testTimeout: 120_000 });

let server: RunningServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startServer();
  client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 });
});
afterAll(() => server.stop());

const pdf = makePdf([[ucs2('月之暗面的文件接口可以抽取文本。')]], { font: chineseFont('UniGB-UCS2-H') });

/** The client's types know OpenAI's purposes only; Moonshot's documentation casts as well. */
const purpose = 'file-extract' as OpenAI.FilePurpose;

describe('files of the official client', () => {
  it('are made, listed, read and deleted', async () => {
    const file = await client.files.create({ file: await toFile(pdf, 'kimi.pdf'), purpose });
    expect(file).toMatchObject({ object: 'file', filename: 'kimi.pdf', bytes: pdf.length, status: 'ready' });
    const listed: string[] = [];
    for await (const each of client.files.list({ limit: 1 })) listed.push(each.id);
    expect(listed).toContain(file.id);
    expect(await client.files.retrieve(file.id)).toEqual(file);
    expect(JSON.parse(await (await client.files.content(file.id)).text())).toMatchObject({
      content: '月之暗面的文件接口可以抽取文本。',
      filename: 'kimi.pdf',
    });
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
    await expect(client.files.retrieve(file.id)).rejects.toThrow(OpenAI.NotFoundError);
  });

  it('are refused in words that the client shows', async () => {
    const creating = client.files.create({ file: await toFile(pdf, 'kimi.pdf'), purpose: 'batch' });
    await expect(creating).rejects.toThrow("400 Invalid purpose: only 'file-extract' accepted");
  });

  it('answer a question as in Moonshot’s program', async () => {
    const file = await client.files.create({ file: await toFile(pdf, 'kimi.pdf'), purpose });
    const content = await (await client.files.content(file.id)).text();
    const completion = await client.chat.completions.create({
      model: modelName,
      messages: [
        { role: 'system', content: 'You are Kimi.' },
        { role: 'system', content },
        { role: 'user', content: 'What does kimi.pdf say?' },
      ],
      max_tokens: 12,
      temperature: 0,
    });
    expect(completion.choices[0]?.message.content).toMatch(/\S/);
    const withoutFile = await client.chat.completions.create({
      model: modelName,
      messages: [{ role: 'user', content: 'What does kimi.pdf say?' }],
      max_tokens: 1,
    });
    expect(completion.usage?.prompt_tokens).toBeGreaterThan((withoutFile.usage?.prompt_tokens ?? 0) + 20);
  });
});
