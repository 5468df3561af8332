import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebSession } from '../../accounts/web-sessions.ts';
import type { Caller } from '../../chat/types.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { pathOf } from './handle-error.ts';

/** What is known of a request before its body is read. */
export interface RequestContext {
  /** `chatcmpl-` + 24 hex digits on chat routes (then also the completion's `id`), else `req-` + 24. */
  readonly inferenceId: string;
  /** The caller's own name of the request; undefined when absent or malformed. */
  readonly clientRequestId: string | undefined;
  readonly startedMs: number;
  /** What a log may say of the address: never the query, and the route where the path itself is a secret. */
  readonly loggedPath: string;
  /** Set by authentication. */
  caller: Caller | undefined;
  /** Set when the body was found to name a served model. */
  modelId: string | undefined;
  /** Set beside it when the caller is a person in the web app. */
  session: WebSession | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    context: RequestContext;
  }
  interface FastifyContextConfig {
    /** The request is one generation of a model: its id has that form. */
    readonly isInference?: boolean;
    /** The address is a secret: logs name the route instead. */
    readonly isPathSecret?: boolean;
  }
}

const clientRequestIdPattern = /^[A-Za-z0-9._:-]{1,128}$/;

/** Names the request and puts the names on the answer, errors included. */
export function createRequestContextHook(dependencies: Pick<HttpDependencies, 'clock' | 'ids'>) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { config, url = '' } = request.routeOptions;
    const prefix = config.isInference === true ? 'chatcmpl-' : 'req-';
    const inferenceId = prefix + dependencies.ids.next();
    const sent = request.headers['x-client-request-id'];
    // A malformed name is dropped, never an error (contract, "Tracing and cost").
    const clientRequestId = typeof sent === 'string' && clientRequestIdPattern.test(sent) ? sent : undefined;
    request.context = {
      inferenceId,
      clientRequestId,
      startedMs: dependencies.clock.now(),
      loggedPath: config.isPathSecret === true ? url : pathOf(request.url),
      caller: undefined,
      modelId: undefined,
      session: undefined,
    };
    reply.header('x-inference-id', inferenceId);
    // OpenAI's clients show this one to their users.
    reply.header('x-request-id', inferenceId);
    if (clientRequestId !== undefined) reply.header('x-client-request-id', clientRequestId);
    done();
  };
}
