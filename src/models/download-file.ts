/** Downloads one file over HTTP into a partial file, and goes on where an earlier try stopped. */
import { open, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, type Dispatcher, interceptors } from 'undici';
import { errorCodeOf } from '../error-code.ts';
import { ModelError } from './model-error.ts';
import type { OnModelProgress } from './progress.ts';
import { readIfThere } from './read-if-there.ts';

/** A machine without a way to the hub must notice within seconds, because other sources are waiting. */
const connectTimeoutMs = 4_000;
const answerTimeoutMs = 15_000;
const stallTimeoutMs = 30_000;
/** Tries in a row that bring no new byte. */
const fruitlessTriesMax = 3;

export interface Download {
  readonly url: string;
  /** The file to fill. What an earlier try left there is kept, if the server still has the same version. */
  readonly partialPath: string;
  readonly onProgress: OnModelProgress;
  readonly signal: AbortSignal;
}

/** Resolves when the whole file is there. Throws ModelError with the reason, or the signal's reason. */
export async function downloadFile(download: Download): Promise<void> {
  const agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: stallTimeoutMs,
  });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  try {
    let fruitlessTries = 0;
    for (;;) {
      const before = await sizeOf(download.partialPath);
      try {
        return await downloadRest(download, dispatcher, before);
      } catch (error) {
        download.signal.throwIfAborted();
        const hasProgressed = (await sizeOf(download.partialPath)) > before;
        fruitlessTries = hasProgressed ? 0 : fruitlessTries + 1;
        // Where no byte ever arrived, the host is out of reach or lacks the file: do not insist.
        const isHopeless = before === 0 || error instanceof ModelError || fruitlessTries >= fruitlessTriesMax;
        if (!hasProgressed && isHopeless) throw describeFailure(error, download.url);
        await delay(500, undefined, { signal: download.signal });
      }
    }
  } finally {
    await agent.destroy();
  }
}

async function downloadRest(download: Download, dispatcher: Dispatcher, offset: number): Promise<void> {
  const etagPath = `${download.partialPath}.etag`;
  const etag = offset > 0 ? await readIfThere(etagPath) : undefined;
  // `If-Range`: a server whose file has changed sends the whole new one instead of a rest that does not fit.
  const headers = etag === undefined ? {} : { range: `bytes=${offset}-`, 'if-range': etag };
  const url = new URL(download.url);
  const response = await dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'GET',
    headers,
    signal: download.signal,
  });
  if (response.statusCode === 416 || (response.statusCode !== 200 && response.statusCode !== 206)) {
    await response.body.dump();
    if (response.statusCode === 416) await rm(download.partialPath, { force: true });
    throw new ModelError(`${url.host} answered with status ${response.statusCode}.`);
  }
  const isRest = response.statusCode === 206;
  const start = isRest ? offset : 0;
  const newEtag = response.headers.etag;
  // A weak validator (`W/…`) may not be used for ranges, so such a download starts anew after a break.
  if (typeof newEtag === 'string' && !newEtag.startsWith('W/')) await writeFile(etagPath, newEtag);
  else await rm(etagPath, { force: true });
  const length = Number(response.headers['content-length']);
  const totalBytes = Number.isFinite(length) ? start + length : undefined;
  let receivedBytes = start;
  // Written chunk by chunk, not through a pipeline: one that fails throws away what it has not yet written.
  const file = await open(download.partialPath, isRest ? 'a' : 'w');
  try {
    for await (const chunk of response.body) {
      // undici's body yields buffers; its type says `any`.
      const bytes = chunk as Buffer;
      await file.appendFile(bytes);
      receivedBytes += bytes.length;
      download.onProgress({ type: 'bytes', receivedBytes, totalBytes });
    }
  } finally {
    await file.close();
  }
  if (totalBytes !== undefined && receivedBytes !== totalBytes) {
    throw new Error(`the connection ended after ${receivedBytes} of ${totalBytes} bytes`);
  }
  await rm(etagPath, { force: true });
}

function describeFailure(error: unknown, url: string): ModelError {
  if (error instanceof ModelError) return error;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new ModelError(`${new URL(url).host} could not be reached (${reason}).`, { cause: error });
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return 0; // Not there yet.
    throw error;
  }
}
