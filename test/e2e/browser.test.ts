/** The API from a web page of another origin, in a real browser: what CORS promises only a browser can check. */
import { createServer, type Server } from 'node:http';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelName, type RunningServer, startServer } from './running-server.ts';

let server: RunningServer;
let pages: Server;
let browser: Browser;
let page: Page;
/** The page's own server under another name: another origin, which allows nobody to read it. */
let silentUrl = '';

beforeAll(async () => {
  server = await startServer();
  pages = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>elsewhere</title>');
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  const address = pages.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  silentUrl = `http://localhost:${port}/`;
  browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    // Not the package's own flags: they switch off web security, which is tested here.
    args: ['--no-sandbox'],
    headless: true,
  });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
});
afterAll(async () => {
  await browser?.close();
  pages?.close();
  await server?.stop();
});

describe('a web page of another origin', () => {
  it('is kept by this browser from what does not allow it', async () => {
    const reading = page.evaluate(async (url) => (await fetch(url)).status, silentUrl);
    await expect(reading).rejects.toThrow(/Failed to fetch/);
    expect((await fetch(silentUrl)).status).toBe(200);
  });

  it('reads a streamed answer as it comes, and the headers that say whose it is', async () => {
    const seen = await page.evaluate(
      async ({ baseUrl, apiKey, model }) => {
        const response = await fetch(`${baseUrl}/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            model,
            messages: [{ role: 'user', content: 'Hello' }],
            stream: true,
            temperature: 0,
          }),
        });
        return {
          status: response.status,
          inferenceId: response.headers.get('x-inference-id'),
          backing: response.headers.get('x-perigee-model'),
          text: await response.text(),
        };
      },
      { baseUrl: server.baseUrl, apiKey: server.apiKey, model: modelName },
    );
    expect(seen.status).toBe(200);
    expect(seen.inferenceId).toMatch(/^chatcmpl-/);
    expect(seen.backing).toContain('SmolLM2-135M-Instruct');
    expect(seen.text.trimEnd()).toMatch(/data: \[DONE\]$/);
  });

  it('reads the text of an error', async () => {
    const error = await page.evaluate(async (baseUrl) => {
      const response = await fetch(`${baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer wrong', 'content-type': 'application/json' },
        body: '{}',
      });
      return { status: response.status, body: await response.text() };
    }, server.baseUrl);
    expect(error.status).toBe(401);
    expect(error.body).toContain('invalid_authentication_error');
  });
});
