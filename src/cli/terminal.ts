/** Where commands write: results to standard output, everything else to standard error. */

export interface Terminal {
  /** A line of the command's result. */
  print(line: string): void;
  /** Text of the result as it is, without a line end. */
  write(text: string): void;
  /** A line for the person in front: progress, hints, errors. */
  note(line: string): void;
  /** Whether a person watches; progress bars and colours are for people only. */
  readonly isInteractive: boolean;
}

/** The process's own streams. */
export const processTerminal: Terminal = {
  print: (line) => process.stdout.write(`${line}\n`),
  write: (text) => process.stdout.write(text),
  note: (line) => process.stderr.write(`${line}\n`),
  isInteractive: process.stderr.isTTY === true,
};

/** A failure that a person can mend: printed without a stack trace, and the command exits with 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `98362432` → `98.4 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}
