import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify';

/** One operation: where it is, who may use it, what it is documented as, what it does. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The first is the canonical one. */
  readonly paths: readonly [string, ...string[]];
  /** Which kind of API key is checked before the body is read: `key` = a regular one. */
  readonly access: 'open' | 'key' | 'management-key' | 'any-key';
  /** One generation of a model: its inference id begins with `chatcmpl-`. */
  readonly isInference?: boolean;
  /** zod schemas for docs/openapi.json. Validation is the handler's own, because its error texts are part of the contract. */
  readonly schema: FastifySchema;
  handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> | FastifyReply;
}
