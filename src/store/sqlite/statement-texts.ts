/**
 * SQL texts cross to a thread once and are numbers afterwards: copying and hashing the same nine texts for every
 * turn costs more than all their parameters. Both ends number the texts in the order in which they are sent.
 */
import type { SqliteRequest, WireStatement } from './sqlite-protocol.ts';

/** Texts beyond this many (Kysely makes one per length of a list) travel as text every time. */
const textsMax = 500;

export type PackedStatement = readonly [
  text: number | string,
  rowsRequired: number | undefined,
  parameters: readonly unknown[],
];

type Pack<Request> = Request extends { readonly statement: WireStatement }
  ? Omit<Request, 'statement'> & { readonly statement: PackedStatement }
  : Request extends { readonly statements: readonly WireStatement[] }
    ? Omit<Request, 'statements'> & { readonly statements: readonly PackedStatement[] }
    : Request;

/** A request as it crosses. */
export type PackedRequest = Pack<SqliteRequest>;

/** The sender's end; one per thread, because a new thread knows no text. */
export function createPacker(): (request: SqliteRequest) => PackedRequest {
  const numbers = new Map<string, number>();
  const packText = (sql: string): number | string => {
    const known = numbers.get(sql);
    if (known === undefined && numbers.size < textsMax) numbers.set(sql, numbers.size);
    return known ?? sql;
  };
  const pack = ({ sql, rowsRequired, parameters }: WireStatement): PackedStatement => [
    packText(sql),
    rowsRequired,
    parameters,
  ];
  return (request) => {
    if (request.type === 'group') return { ...request, statements: request.statements.map(pack) };
    return request.type === 'run' ? { ...request, statement: pack(request.statement) } : request;
  };
}

/** The receiver's end. Takes requests in the order in which they were packed. */
export function createUnpacker(): (request: PackedRequest) => SqliteRequest {
  const texts: string[] = [];
  const unpackText = (text: number | string): string => {
    if (typeof text === 'string') {
      if (texts.length < textsMax) texts.push(text);
      return text;
    }
    const sql = texts[text];
    if (sql === undefined) throw new Error(`The SQL text ${text} was never sent.`);
    return sql;
  };
  const unpack = ([text, rowsRequired, parameters]: PackedStatement): WireStatement => ({
    sql: unpackText(text),
    rowsRequired,
    parameters,
  });
  return (request) => {
    if (request.type === 'group') return { ...request, statements: request.statements.map(unpack) };
    return request.type === 'run' ? { ...request, statement: unpack(request.statement) } : request;
  };
}
