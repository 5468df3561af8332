/** Where everything is logged. No key, prompt or answer may ever be in it: test/e2e/secrets-canary.test.ts looks. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { ApiError, errorCatalogue } from './errors.ts';
import type { Config } from './settings.ts';

/** Fields that hold secrets or what people said, wherever somebody might log an object that has them. */
const secretFields = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'headers',
  'body',
  'messages',
  'content',
  'prompt',
  'text',
  'password',
  'secret',
  'apiKey',
  'token',
]);
/** How deep an object is searched for them: nobody logs deeper ones on purpose. */
const depthMax = 3;

const causesMax = 5;

export function createLogger(level: Config['logLevel'], destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      formatters: { log: (fields) => redactFields(fields, depthMax) },
      serializers: { err: describeError },
    },
    destination,
  );
}

/** The object itself where nothing has to be hidden; pino's own redaction costs a line thirty times its writing. */
function redactFields(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  let redacted: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const safe = secretFields.has(name) ? '[redacted]' : redactValue(value, depth - 1);
    if (safe === value) continue;
    redacted ??= { ...fields };
    redacted[name] = safe;
  }
  return redacted ?? fields;
}

/** Errors have their own serializer, which writes no secrets. */
function redactValue(value: unknown, depth: number): unknown {
  if (depth === 0 || value instanceof Error) return value;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth - 1));
  return isRecord(value) ? redactFields(value, depth) : value;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Texts that repeat what was read or sent are left out. */
function describeMessage(error: Error): string {
  if (error instanceof ApiError) return errorCatalogue[error.code].message;
  // V8 quotes the text around the fault.
  if (error instanceof SyntaxError) return 'a text cannot be parsed';
  return error.message;
}

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/**
 * The kind, the text, the place and the causes. Nothing else: drivers and HTTP clients hang rows, requests and bodies
 * on their errors, and the standard serializer would write them all.
 */
function describeError(thrown: unknown, depth = 0): LoggedError {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: 'something else than an Error' };
  const { cause } = thrown;
  // The text stands above the frames of a stack.
  const stack = thrown.stack?.match(/^ {4}at .*$/gm)?.join('\n');
  return {
    type: thrown.name,
    message: describeMessage(thrown),
    ...('code' in thrown && typeof thrown.code === 'string' && { code: thrown.code }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && depth < causesMax && { cause: describeError(cause, depth + 1) }),
  };
}
