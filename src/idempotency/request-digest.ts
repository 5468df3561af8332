import { createHash } from 'node:crypto';
import { ApiError } from '../errors.ts';

/** Visible ASCII, as draft-ietf-httpapi-idempotency-key-header-07 leaves it to us to bound. */
const keyPattern = /^[\x21-\x7e]{1,255}$/;

/** The header's value; undefined when it was not sent. Throws ApiError `invalid_request`. */
export function readIdempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && keyPattern.test(header)) return header;
  throw new ApiError('invalid_request', {
    message:
      'Invalid request: the header Idempotency-Key takes 1 to 255 visible ASCII characters without spaces, such as a UUID.',
    param: 'Idempotency-Key',
  });
}

/** Objects and lists within each other; no schema of a tool may go so deep. */
const depthMax = 200;

/**
 * SHA-256 over everything that decides the answer. Bodies that differ only in white space or in the order of their
 * fields are the same request: a client library may well write them anew for its second try. Throws ApiError
 * `invalid_request` for a body that is nested too deeply to be walked.
 */
export function digestRequest(request: {
  readonly path: string;
  readonly isDeterministic: boolean;
  /** Parsed JSON. */
  readonly body: unknown;
}): string {
  const text = JSON.stringify([request.path, request.isDeterministic, sortFields(request.body, depthMax)]);
  return createHash('sha256').update(text).digest('hex');
}

/** Arrays of pairs keep what objects would lose: `__proto__` as a name, and the order of names like `1`. */
function sortFields(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) throw tooDeep();
  if (Array.isArray(value)) return value.map((item) => sortFields(item, levels - 1));
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { fields: fields.map(([name, field]) => [name, sortFields(field, levels - 1)]) };
}

const tooDeep = (): ApiError =>
  new ApiError('invalid_request', {
    message: `Invalid request: with an Idempotency-Key the body may be nested at most ${depthMax} levels deep`,
  });
