import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebClient } from '../../accounts/auth-calls.ts';

/** Who asks, in the words of `accounts/`. */
export function webClientOf(request: FastifyRequest): WebClient {
  const { cookie, 'user-agent': userAgent } = request.headers;
  return { cookie, userAgent, ipAddress: request.ip };
}

/** Passes cookies on, and keeps the answer that sets them out of every cache. */
export function sendCookies(reply: FastifyReply, setCookies: readonly string[]): FastifyReply {
  reply.header('cache-control', 'no-store');
  return setCookies.length === 0 ? reply : reply.header('set-cookie', [...setCookies]);
}
