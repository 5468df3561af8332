import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../errors.ts';

/** Sent by our pages. A foreign page cannot send it without asking first, and is refused then (no CORS credentials). */
const csrfHeader = 'x-perigee-csrf';

/**
 * Lets only pages of this server through, and programs that say what they do: the browser attaches the session's
 * cookie to whatever any page asks, so the cookie alone proves nothing. Three locks, each enough by itself: the header,
 * the browser's own word (`Sec-Fetch-Site`), and the origin. Throws ApiError `csrf_refused`.
 */
export function assertSameOrigin(request: FastifyRequest, publicUrl: string): void {
  const { headers } = request;
  const site = headers['sec-fetch-site'];
  if (headers[csrfHeader] !== '1') throw refused('the header is missing');
  if (site !== undefined && site !== 'same-origin') throw refused(`sec-fetch-site is ${String(site)}`);
  if (headers.origin !== undefined && !isOwnOrigin(request, headers.origin, publicUrl)) {
    throw refused('the origin is foreign');
  }
}

/** The configured address, or whatever name the browser used to reach this very server. */
function isOwnOrigin(request: FastifyRequest, origin: string, publicUrl: string): boolean {
  if (origin === publicUrl) return true;
  const parsed = URL.parse(origin);
  return parsed !== null && parsed.host !== '' && parsed.host === request.host;
}

function refused(internal: string): ApiError {
  return new ApiError('csrf_refused', { internal });
}
