import { z } from 'zod';
import type { ServedModel } from '../../engines/registry.ts';
import { ApiError } from '../../errors.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Route } from './route.ts';

const modelSchema = z
  .object({
    id: z.string().describe('Canonical id of the model.'),
    object: z.literal('model').describe('Always model.'),
    created: z.int().describe('Unix time in seconds.'),
    owned_by: z.string().describe('Who the served name belongs to.'),
    aliases: z.array(z.string()).describe('Other names that the model can be requested under.'),
    type: z.literal('openai/chat-completions').describe('Endpoint type this model is served through.'),
    info: z.object({
      name: z.string().describe('Name of the model.'),
      developer: z.string().describe('Who developed it.'),
      contextLength: z.int().describe('Context window in tokens.'),
    }),
    tags: z.array(z.string()).describe('Free-form tags.'),
    context_length: z.int().describe('Context window in tokens: prompt and output together.'),
    backing: z
      .object({
        engine: z.string().describe('Kind of engine.'),
        weights: z.string().describe('Name of the weights.'),
        size_bytes: z.int().nullable().describe('Size of the weights; null = not known here.'),
        licence: z.string().nullable().describe('Licence of the weights; null = not known here.'),
        context_tokens: z.int().describe('The served window in tokens.'),
        digest: z.string().describe('First digits of the weights’ SHA-256.'),
        schema_enforced: z
          .boolean()
          .describe('True: JSON is constrained while it is decoded. False: it is checked and repaired.'),
      })
      .describe('What really answers behind the served name.'),
  })
  .meta({ id: 'Model' });
const modelListSchema = z.object({
  object: z.literal('list').describe('Always list.'),
  data: z.array(modelSchema),
});

/** `GET /v1/models`. */
export function createModelListRoute({ models }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/models', '/models', '/api/v1/models'],
    access: 'open',
    schema: {
      tags: ['Models'],
      summary: 'The served models',
      operationId: 'listModels',
      response: { 200: modelListSchema },
    },
    handle: (_request, reply) => reply.send({ object: 'list', data: models.list().map(encodeModel) }),
  };
}

/** `GET /v1/models/{id}`: ids contain slashes, sent as they are or percent-encoded. */
export function createModelRoute({ models }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/models/*', '/models/*', '/api/v1/models/*'],
    access: 'open',
    schema: {
      tags: ['Models'],
      summary: 'One served model, by id or alias',
      operationId: 'getModel',
      params: z.object({ id: z.string().describe('The id, with its slashes, or an alias.') }),
      response: { 200: modelSchema, ...describeErrors([404]) },
    },
    handle(request, reply) {
      const id = (request.params as { '*': string })['*']; // The router fills the wildcard of this route's paths.
      const model = models.find(id);
      if (model === undefined) {
        throw new ApiError('model_not_found', {
          message: `Not found the model ${id.slice(0, 128)} or Permission denied`,
          param: 'model',
        });
      }
      return reply.send(encodeModel(model));
    },
  };
}

function encodeModel(model: ServedModel): z.input<typeof modelSchema> {
  const backing = model.engine.backing();
  const slash = model.id.indexOf('/');
  const owner = slash === -1 ? 'perigee' : model.id.slice(0, slash);
  const aliases = new Set([model.wireName, ...model.aliases]);
  aliases.delete(model.id);
  return {
    id: model.id,
    object: 'model',
    created: model.created,
    owned_by: owner,
    aliases: [...aliases],
    type: 'openai/chat-completions',
    info: { name: model.wireName, developer: owner, contextLength: backing.contextTokens },
    tags: [],
    context_length: backing.contextTokens,
    backing: {
      engine: model.engine.kind,
      weights: backing.weights,
      size_bytes: backing.sizeBytes ?? null,
      licence: backing.licence ?? null,
      context_tokens: backing.contextTokens,
      digest: backing.digest,
      schema_enforced: backing.isSchemaEnforced,
    },
  };
}
