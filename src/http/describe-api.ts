/** What docs/openapi.json says besides the routes themselves. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';

type OpenApiOptions = NonNullable<FastifyDynamicSwaggerOptions['openapi']>;
type TransformInput = Parameters<typeof jsonSchemaTransform>[0];

export function describeApi(version: string): OpenApiOptions {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Perigee',
      version,
      description: 'The API of `moonshot/kimi-k2-turbo-preview`, on your own machines.',
    },
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'An API key.' } },
    },
  };
}

/** zod → JSON Schema, and the router's wildcard as the parameter that it is. */
export function transformRouteSchema(input: TransformInput): ReturnType<typeof jsonSchemaTransform> {
  const { schema, url } = jsonSchemaTransform(input);
  return { schema, url: url.replace(/\*$/, ':id') };
}
