/** Query strings: text in, checked values out, and 400 with the parameter's name for what does not fit. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from '../../errors.ts';
import { locateIssue } from '../openai/describe-issue.ts';

export interface QueryShape {
  /** Parameters that are whole numbers. */
  readonly integers?: readonly string[];
  /** Parameters that may be repeated; all others are refused when they are. */
  readonly lists?: readonly string[];
}

/** Throws ApiError `invalid_request`. Parameters that the schema does not name are the schema's business. */
export function parseQuery<Schema extends z.ZodType>(
  schema: Schema,
  request: FastifyRequest,
  { integers = [], lists = [] }: QueryShape = {},
): z.output<Schema> {
  const query = request.query as Record<string, unknown>; // The router's parser: text, or a list of texts.
  const values = Object.entries(query).map(([name, value]) => {
    if (lists.includes(name)) return [name, Array.isArray(value) ? value : [value]];
    const isInteger = integers.includes(name) && typeof value === 'string' && /^-?\d{1,15}$/.test(value);
    return [name, isInteger ? Number(value) : value];
  });
  const parsed = schema.safeParse(Object.fromEntries(values), { reportInput: true });
  if (!parsed.success) {
    const { param, text } = locateIssue(parsed.error.issues);
    throw invalidParameter(param, text);
  }
  return parsed.data;
}

/** An `invalid_request` about one query parameter. */
export function invalidParameter(param: string, text: string): ApiError {
  const place = param === '' ? 'the query' : param;
  return new ApiError('invalid_request', {
    message: `Query validation error: ${place}: ${text}`,
    ...(param !== '' && { param }),
  });
}

/** In a URL an unescaped plus sign arrives as a space, and a moment has no other space in it. */
const restorePlus = (text: string): string => text.replace(/ (\d\d:\d\d)$/, '+$1');

const moment = z.string().transform(restorePlus);

/** A moment with its offset from UTC → milliseconds since 1970. */
export const momentWithOffset = moment
  .pipe(
    z.iso.datetime({ offset: true, error: 'expected a moment such as 2026-08-01T00:00:00Z, with an offset' }),
  )
  .transform((text) => Date.parse(text));

const notLoose = 'expected a moment such as 2026-07-01T00:00:00Z, or a date';
const looseMoment = z.union([
  z.iso.datetime({ offset: true, local: true, error: notLoose }),
  z.iso.date({ error: notLoose }),
]);

/** The same, where a missing offset means UTC and a date alone its first moment. */
export const momentInUtc = moment.pipe(looseMoment).transform((text) => {
  const hasOffset = /(Z|[+-]\d\d:\d\d)$/.test(text);
  return Date.parse(hasOffset || !text.includes('T') ? text : `${text}Z`);
});
