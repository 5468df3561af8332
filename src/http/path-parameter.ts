import type { FastifyRequest } from 'fastify';

/** The part of the address that the path of the route names: `id` of `/v1/files/:id`, `*` of a wildcard. */
export function pathParameter(request: FastifyRequest, name: string): string {
  const value = (request.params as Readonly<Record<string, string>>)[name]; // The router fills it, with text only.
  if (value === undefined) throw new Error(`No path of this route names \`${name}\`.`);
  return value;
}
