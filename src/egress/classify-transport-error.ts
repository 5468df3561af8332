import { errorCodeOf } from '../error-code.ts';
import { EgressError } from './egress.ts';

const unknownHostCodes = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME', 'EAI_FAIL']);
const timeoutCodes = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** What a socket, a resolver, TLS or undici failed with, by its code, as one of our failures. */
export function classifyTransportError(thrown: unknown, url: string): EgressError {
  const own = findOwn(thrown);
  if (own !== undefined) return own;
  const host = URL.canParse(url) ? new URL(url).host : 'The address';
  const codes = codesOf(thrown);
  if (codes.some((code) => unknownHostCodes.has(code))) {
    return new EgressError('unknown_host', `${host} is not known.`, { cause: thrown });
  }
  if (codes.some((code) => timeoutCodes.has(code))) {
    return new EgressError('timeout', `${host} did not answer in time.`, { cause: thrown });
  }
  return new EgressError('unreachable', `${host} could not be reached, or broke off.`, { cause: thrown });
}

/** Node wraps what several addresses failed with, and undici what a connector failed with. */
function listErrors(thrown: unknown): readonly unknown[] {
  const inner = thrown instanceof AggregateError ? thrown.errors.flatMap(listErrors) : [];
  const cause = thrown instanceof Error && thrown.cause !== undefined ? listErrors(thrown.cause) : [];
  return [thrown, ...inner, ...cause];
}

const findOwn = (thrown: unknown): EgressError | undefined =>
  listErrors(thrown).find((error) => error instanceof EgressError);

const codesOf = (thrown: unknown): readonly string[] =>
  listErrors(thrown).flatMap((error) => errorCodeOf(error) ?? []);
