import { progress } from '@clack/prompts';
import type { IndexProgress } from '../web-search/local/index-run.ts';
import type { Terminal } from './terminal.ts';

export interface IndexProgressView {
  readonly onProgress: (progress: IndexProgress) => void;
  /** Must be called at the end, whatever came of it: it gives the terminal's line back. */
  end(): void;
}

/** A log line for so many documents. */
const documentsPerLine = 100;

/** Shows an indexing: a bar for a person, some lines for a log. What was skipped is said to both. */
export function showIndexProgress(terminal: Terminal, source: string): IndexProgressView {
  return terminal.isInteractive ? showBar(terminal, source) : showLines(terminal);
}

function showLines(terminal: Terminal): IndexProgressView {
  return {
    onProgress: (each) => {
      if (each.type === 'skipped') terminal.note(describeSkipped(each));
      if (each.doneCount % documentsPerLine === 0) terminal.note(`  ${each.doneCount} of ${each.totalCount}`);
    },
    end: () => undefined,
  };
}

function showBar(terminal: Terminal, source: string): IndexProgressView {
  // Thousandths, because the number of documents is known only later, and grows while a site is followed.
  const bar = progress({ max: 1_000, output: process.stderr });
  bar.start(`Indexing ${source}`);
  const skipped: string[] = [];
  let position = 0;
  return {
    onProgress: (each) => {
      if (each.type === 'skipped') skipped.push(describeSkipped(each));
      const next = Math.floor((each.doneCount / Math.max(1, each.totalCount)) * 1_000);
      const text = `${each.doneCount} of ${each.totalCount}`;
      if (next > position) bar.advance(next - position, text);
      else bar.message(text);
      position = Math.max(position, next);
    },
    end: () => {
      bar.stop(`Indexing ${source}`);
      for (const line of skipped) terminal.note(line);
    },
  };
}

const describeSkipped = ({ url, reason = '' }: IndexProgress): string => `  skipped ${url}: ${reason}`;
