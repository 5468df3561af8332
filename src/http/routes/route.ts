import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify';

/** One operation: where it is, who may use it, what it is documented as, what it does. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The first is the canonical one. */
  readonly paths: readonly [string, ...string[]];
  /**
   * What is checked before the body is read. Keys: `key` is a regular one; where a key opens, the web app's session
   * does too. Only the web app: `session`, `admin` (of an administrator), `same-origin` (nobody need be signed in).
   */
  readonly access: 'open' | 'key' | 'management-key' | 'any-key' | 'session' | 'admin' | 'same-origin';
  /** One generation of a model: its inference id begins with `chatcmpl-`. */
  readonly isInference?: boolean;
  /** The address itself opens something (an invite, a shared page): logs name the route instead. */
  readonly isPathSecret?: boolean;
  /** The body is a form with a file (`read-upload.ts`), and read by the handler. */
  readonly takesForm?: boolean;
  /** zod schemas for docs/openapi.json. Validation is the handler's own, because its error texts are part of the contract. */
  readonly schema: FastifySchema;
  handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> | FastifyReply;
}
