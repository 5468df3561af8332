/** `GET /metrics`: for the operator's Prometheus, not for callers of the API. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from '../../errors.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Route } from './route.ts';

export function createMetricsRoute({ metrics, settings }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/metrics'],
    access: 'open',
    schema: {
      tags: ['Service'],
      summary: 'Figures for Prometheus',
      description:
        'Answers programs on the server’s own machine, and others with `Authorization: Bearer` and the token of the setting `metrics_token`.',
      operationId: 'metrics',
      response: {
        200: { description: 'The text format.', content: { 'text/plain': { schema: z.string() } } },
        ...describeErrors([401, 404]),
      },
    },
    async handle(request, reply) {
      if (metrics === undefined) throw new ApiError('route_not_found');
      if (!isLocalProgram(request) && !hasToken(request, settings.metricsToken)) {
        throw new ApiError('invalid_api_key', {
          message:
            'The metrics are open to programs on this machine, and with `Authorization: Bearer` and the token of PERIGEE_METRICS_TOKEN.',
        });
      }
      const { contentType, text } = await metrics.render();
      return reply.header('content-type', contentType).header('cache-control', 'no-store').send(text);
    },
  };
}

/** Sent by proxies for whom they ask: then the neighbour on the socket is not the one who reads. */
const proxyHeaders = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-real-ip',
  'forwarded',
  'via',
  'cf-connecting-ip',
];
const loopbackAddress = /^(127\.|::1$|::ffff:127\.)/;
const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * Judged by the socket, whatever headers say of it: those can only take the right away. A page in a browser on this
 * machine is no program: it comes with an origin, or under a host name of its own (DNS rebinding).
 */
function isLocalProgram(request: FastifyRequest): boolean {
  const { headers, socket } = request.raw;
  const site = headers['sec-fetch-site'];
  return (
    loopbackAddress.test(socket.remoteAddress ?? '') &&
    loopbackHost.test(headers.host ?? '') &&
    proxyHeaders.every((name) => headers[name] === undefined) &&
    headers.origin === undefined &&
    (site === undefined || site === 'none')
  );
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

function hasToken(request: FastifyRequest, token: string | undefined): boolean {
  const sent = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  return token !== undefined && sent !== undefined && timingSafeEqual(digestOf(sent), digestOf(token));
}
