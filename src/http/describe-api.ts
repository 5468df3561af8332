/** What docs/openapi.json says besides the routes themselves, and how their zod schemas get into it. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { errorCatalogue } from '../errors.ts';
import { errorBodySchema } from './openai/response-schema.ts';

type OpenApiOptions = NonNullable<FastifyDynamicSwaggerOptions['openapi']>;
type TransformInput = Parameters<typeof jsonSchemaTransform>[0];
type DocumentInput = Parameters<typeof jsonSchemaTransformObject>[0];

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

/** The error answers of these statuses, each with the codes that have it. */
export function describeErrors(statuses: readonly number[]): Record<number, object> {
  const codes = Object.groupBy(Object.entries(errorCatalogue), ([, { status }]) => status);
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: (codes[status] ?? []).map(([code]) => `\`${code}\``).join(', '),
        content: { 'application/json': { schema: errorBodySchema } },
      },
    ]),
  );
}

/** zod → JSON Schema, and the router's wildcard as the parameter that it is. */
export function transformRouteSchema(input: TransformInput): ReturnType<typeof jsonSchemaTransform> {
  const { schema, url } = jsonSchemaTransform(input);
  return { schema, url: url.replace(/\*$/, ':id') };
}

/** Named schemas → `components`, without the variants that nothing refers to. */
export function transformDocument(input: DocumentInput): ReturnType<typeof jsonSchemaTransformObject> {
  const document = jsonSchemaTransformObject(input);
  if (!('components' in document) || document.components?.schemas === undefined) return document;
  const { components } = document;
  // The type provider makes an input and an output variant of each; requests use the first, answers the second.
  const text = JSON.stringify(document);
  const schemas = Object.entries(document.components.schemas).filter(([name]) =>
    text.includes(`"#/components/schemas/${name}"`),
  );
  return {
    ...document,
    components: { ...components, schemas: Object.fromEntries(schemas) },
  } as typeof document; // Its type is a union of OpenAPI versions.
}
