/**
 * What crosses between the threads goes as one text where it can: copying a text costs a tenth of copying the arrays,
 * objects and bigints of a turn one by one. Anything a text cannot hold crosses as it is.
 */
import type { SqliteReply, WireOutcome, WireResult } from './sqlite-protocol.ts';
import type { PackedRequest, PackedStatement } from './statement-texts.ts';

export type RequestMessage = string | readonly PackedRequest[];
export type ReplyMessage = string | readonly SqliteReply[];

/** A bigint beyond 2^53, in decimal digits; smaller ones are numbers, which SQLite gets as integers all the same. */
type LargeInteger = readonly [digits: string];
type TextValue = string | number | boolean | null | LargeInteger;
type TextStatement = readonly [text: number | string, rowsRequired: number | null, values: TextValue[]];

const largest = BigInt(Number.MAX_SAFE_INTEGER);

export function encodeRequests(requests: readonly PackedRequest[]): RequestMessage {
  const texts: unknown[] = [];
  for (const request of requests) {
    const text = toText(request);
    if (text === undefined) return requests;
    texts.push(text);
  }
  return JSON.stringify(texts);
}

export function decodeRequests(message: RequestMessage): readonly PackedRequest[] {
  if (typeof message !== 'string') return message;
  const texts: ReturnType<typeof toText>[] = JSON.parse(message);
  return texts.map(fromText);
}

/** Replies to groups that return no rows are rows of counts. */
export function encodeReplies(replies: readonly SqliteReply[]): ReplyMessage {
  const counts: number[][] = [];
  for (const { id, outcome } of replies) {
    if (outcome.type !== 'committed' || outcome.results.some(({ rows }) => rows.length > 0)) return replies;
    counts.push([id, ...outcome.results.map(({ rowCount }) => rowCount)]);
  }
  return JSON.stringify(counts);
}

export function decodeReplies(message: ReplyMessage): readonly SqliteReply[] {
  if (typeof message !== 'string') return message;
  const counts: readonly [number, ...number[]][] = JSON.parse(message);
  return counts.map(([id, ...rowCounts]) => ({ id, outcome: committed(rowCounts) }));
}

function committed(rowCounts: readonly number[]): WireOutcome {
  return { type: 'committed', results: rowCounts.map(toResult) };
}

const toResult = (rowCount: number): WireResult => ({ rowCount, rows: [], insertId: undefined });

/** Undefined: it holds what JSON does not. */
function toText(request: PackedRequest) {
  if (request.type === 'run') {
    const statement = statementToText(request.statement);
    return statement && { ...request, statement };
  }
  if (request.type !== 'group') return request;
  const statements: TextStatement[] = [];
  for (const packed of request.statements) {
    const statement = statementToText(packed);
    if (statement === undefined) return undefined;
    statements.push(statement);
  }
  return { ...request, statements };
}

function fromText(text: ReturnType<typeof toText>): PackedRequest {
  if (text === undefined) throw new Error('A request has no text.');
  if (text.type === 'run') {
    // JSON has no undefined: the name is missing outside transactions.
    return { ...text, transaction: text.transaction, statement: statementFromText(text.statement) };
  }
  return text.type === 'group' ? { ...text, statements: text.statements.map(statementFromText) } : text;
}

function statementToText([text, rowsRequired, parameters]: PackedStatement): TextStatement | undefined {
  const values: TextValue[] = [];
  for (const parameter of parameters) {
    const value = valueToText(parameter);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return [text, rowsRequired ?? null, values];
}

function statementFromText([text, rowsRequired, values]: TextStatement): PackedStatement {
  return [text, rowsRequired ?? undefined, values.map(valueFromText)];
}

function valueToText(value: unknown): TextValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'bigint':
      return value <= largest && value >= -largest ? Number(value) : [value.toString()];
    case 'undefined':
      return null;
    default:
      return value === null ? null : undefined;
  }
}

const valueFromText = (value: TextValue): unknown => (Array.isArray(value) ? BigInt(value[0]) : value);
