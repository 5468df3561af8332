import { ConfigError } from '../config.ts';
import { ApiError } from '../errors.ts';
import { ModelError } from '../models/model-error.ts';
import { SchemaError } from '../store/migrate.ts';
import { DataFolderInUseError } from '../store/sqlite/server-lock.ts';
import { CommandError } from './terminal.ts';

/** Failures that people can mend: their message alone is enough. */
const expected = [ConfigError, CommandError, ModelError, ApiError, SchemaError, DataFolderInUseError];

/** What to print when a command failed: the message, or the whole stack of what nobody expected. */
export function describeFailure(error: unknown): string {
  if (expected.some((kind) => error instanceof kind)) return (error as Error).message; // One of the kinds above.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${text}\nThis is a defect in Perigee, or something it does not expect of this machine; \`perigee doctor\` may tell.`;
}
