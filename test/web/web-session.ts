/** A real server with the real model, and a real browser that is signed in: one of each for all tests of the web app. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, type Page, chromium as playwright } from 'playwright-core';
import { type PerigeeProcess, startPerigee } from '../page-examples/start-perigee.ts';
import { findFreePort } from '../services/free-port.ts';
import { type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts';

export const administrator = { email: 'ada@example.com', password: 'a-password-for-tests' };
export const modelName = 'moonshot/kimi-k2-turbo-preview';
/** Its answers are those of `scripted-upstream.ts`. */
export const scriptedModel = 'perigee/scripted';

/** A step that takes longer has failed, on the slowest machine too; its own error says more than the test's. */
const stepTimeoutMs = 20_000;

export interface WebSession {
  readonly origin: string;
  readonly server: PerigeeProcess;
  readonly browser: Browser;
  readonly upstream: ScriptedUpstream;
  /** A page of its own browser profile, signed in unless it is a guest. It collects what goes wrong on it. */
  openPage(options?: OpenPageOptions): Promise<WatchedPage>;
  /** Kills the server as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

interface OpenPageOptions {
  readonly isGuest?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
  readonly locale?: string;
}

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console, uncaught exceptions, requests to other hosts, broken policies. */
  readonly faults: string[];
}

interface WebSessionOptions {
  /** Settings besides those that every session needs. */
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startWebSession({ environment = {} }: WebSessionOptions = {}): Promise<WebSession> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-web-'));
  const upstream = await startScriptedUpstream();
  writeFileSync(path.join(dataDir, 'perigee.yaml'), describeModels(upstream.baseUrl));
  const port = await findFreePort();
  const start = (): Promise<PerigeeProcess> =>
    startPerigee({
      dataDir,
      environment: {
        PERIGEE_THREADS: '1',
        PERIGEE_PORT: String(port),
        PERIGEE_BOOTSTRAP_EMAIL: administrator.email,
        PERIGEE_BOOTSTRAP_PASSWORD: administrator.password,
        ...environment,
      },
    });
  let server = await start();
  await server.ready;
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    // Not the package's own flags: they switch off web security, which is tested here, and share one process.
    args: ['--no-sandbox'],
    headless: true,
  });
  const origin = server.url;
  const signedIn = await signIn(browser, origin);
  return {
    origin,
    get server() {
      return server;
    },
    browser,
    upstream,
    async openPage({ isGuest = false, width = 1280, height = 900, theme = 'light', locale = 'en-US' } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        locale,
        reducedMotion: 'reduce',
        ...(isGuest ? {} : { storageState: signedIn }),
      });
      const page = await context.newPage();
      page.setDefaultTimeout(stepTimeoutMs);
      return { page, faults: watch(page, origin), [Symbol.asyncDispose]: () => context.close() };
    },
    async kill() {
      const ended = new Promise((resolve) => server.child.once('close', resolve));
      server.child.kill('SIGKILL');
      await ended;
    },
    async restart() {
      server = await start();
      await server.ready;
    },
    async close() {
      await browser.close();
      await server.stop();
      upstream.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const describeModels = (upstreamUrl: string): string => `
engines:
  scripted:
    kind: openai-compatible
    base_url: ${upstreamUrl}
    model: scripted
    weights: scripted answers
    context_tokens: 8192
models:
  ${modelName}: { engine: embedded, aliases: [kimi-k2-turbo-preview, kimi-k2-turbo] }
  ${scriptedModel}: { engine: scripted }
`;

type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>;

/** Through the form, as a person does; the other pages begin with its cookie. */
async function signIn(browser: Browser, origin: string): Promise<StorageState> {
  const context = await browser.newContext({ locale: 'en-US' });
  const page = await context.newPage();
  await page.goto(`${origin}/app/keys`);
  await page.getByLabel('E-mail').fill(administrator.email);
  await page.getByLabel('Password', { exact: true }).fill(administrator.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  // Where the person wanted to go before the form came between.
  await page.waitForURL(`${origin}/app/keys`);
  const state = await context.storageState();
  await context.close();
  return state;
}

function watch(page: Page, origin: string): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob|about):/.test(url)) faults.push(`a request to ${url}`);
  });
  return faults;
}
