import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerMetrics } from '../../metrics/server-metrics.ts';

/** One count per answer, by the route's pattern: addresses that nobody serves are one and the same. */
export function createCountHook(metrics: ServerMetrics) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    metrics.countRequest({
      route: request.is404 ? undefined : request.routeOptions.url,
      method: request.method,
      status: reply.raw.statusCode,
      modelId: request.context.modelId,
    });
    done();
  };
}
