import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpDependencies } from '../http-dependencies.ts';
import { pathOf } from './handle-error.ts';

/** One line per answer, streams included. Never headers or bodies: they hold secrets. */
export function createAccessLogHook({ clock, logger }: Pick<HttpDependencies, 'clock' | 'logger'>) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { inferenceId, clientRequestId, startedMs, caller } = request.context;
    logger.info(
      {
        inferenceId,
        clientRequestId,
        accountId: caller?.accountId,
        keyPrefix: caller?.keyPrefix,
        method: request.method,
        path: pathOf(request.url),
        status: reply.raw.statusCode,
        durationMs: clock.now() - startedMs,
      },
      'answered',
    );
    done();
  };
}
