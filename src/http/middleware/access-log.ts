import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpDependencies } from '../http-dependencies.ts';

/** One line per answer, streams included. Never headers or bodies: they hold secrets. */
export function createAccessLogHook({ clock, logger }: Pick<HttpDependencies, 'clock' | 'logger'>) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { inferenceId, clientRequestId, startedMs, caller, loggedPath } = request.context;
    logger.info(
      {
        inferenceId,
        clientRequestId,
        accountId: caller?.accountId,
        keyPrefix: caller?.keyPrefix,
        method: request.method,
        path: loggedPath,
        status: reply.raw.statusCode,
        durationMs: clock.now() - startedMs,
      },
      'answered',
    );
    done();
  };
}
