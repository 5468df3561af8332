import { progress } from '@clack/prompts';
import type { ModelProgress, OnModelProgress } from '../models/progress.ts';
import { formatBytes, type Terminal } from './terminal.ts';

export interface ModelProgressView {
  readonly onProgress: OnModelProgress;
  /** Must be called at the end, whatever came of it: it gives the terminal's line back. */
  end(): void;
}

/** Shows a download: a bar for a person, one line per tenth for a log. */
export function showModelProgress(terminal: Terminal): ModelProgressView {
  return terminal.isInteractive ? showBar() : showLines(terminal);
}

function showLines(terminal: Terminal): ModelProgressView {
  let lastTenth = 0;
  const onProgress = (each: ModelProgress): void => {
    // Another source begins its own file.
    if (each.type === 'source') lastTenth = 0;
    if (each.type !== 'bytes') {
      const line = describeProgress(each);
      if (line !== undefined) terminal.note(line);
      return;
    }
    if (each.totalBytes === undefined) return;
    const tenth = Math.floor((each.receivedBytes / each.totalBytes) * 10);
    if (tenth <= lastTenth) return;
    lastTenth = tenth;
    terminal.note(`  ${formatBytes(each.receivedBytes)} of ${formatBytes(each.totalBytes)}`);
  };
  return { onProgress, end: () => {} };
}

function showBar(): ModelProgressView {
  // Thousandths, because the bar counts in whole steps and the size is known only later.
  const bar = progress({ max: 1_000, output: process.stderr });
  let isStarted = false;
  let position = 0;
  const onProgress = (each: ModelProgress): void => {
    const text = describeProgress(each);
    if (!isStarted) {
      bar.start(text ?? 'Model file');
      isStarted = true;
    } else if (each.type !== 'bytes') {
      if (text !== undefined) bar.message(text);
    } else if (each.totalBytes !== undefined) {
      const next = Math.floor((each.receivedBytes / each.totalBytes) * 1_000);
      const bytes = `${formatBytes(each.receivedBytes)} of ${formatBytes(each.totalBytes)}`;
      if (next > position) bar.advance(next - position, bytes);
      position = Math.max(position, next);
    }
  };
  return {
    onProgress,
    end: () => {
      if (isStarted) bar.stop('Model file');
    },
  };
}

function describeProgress(each: ModelProgress): string | undefined {
  switch (each.type) {
    case 'source':
      return `Fetching the model file from ${each.source} …`;
    case 'source-failed':
      return `${each.source} does not work: ${each.reason}`;
    case 'verify':
      return 'Verifying the file …';
    case 'wait':
      return 'Another process is fetching this file; waiting for it …';
    case 'bytes':
      return undefined;
    default:
      return each satisfies never;
  }
}
