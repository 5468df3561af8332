/** The catalogue, open to everybody. */
import { z } from 'zod';
import { ApiError } from '../../errors.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { pathParameter } from '../path-parameter.ts';
import {
  decodeSections,
  matchesFilter,
  modelQuerySchema,
  modelSectionsSchema,
} from '../platform/model-filter.ts';
import { describeModel, encodeModel, modelListSchema, modelSchema } from '../platform/model-schema.ts';
import { sendTagged } from '../platform/send-tagged.ts';
import type { Route } from './route.ts';

const notModified = { 304: z.null().describe('`If-None-Match` names the current `ETag`.') };

/** `GET /v1/models`. */
export function createModelListRoute({ models, platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/models', '/models', '/api/v1/models'],
    access: 'open',
    schema: {
      tags: ['Models'],
      summary: 'The served models',
      description:
        'Filters: any value of one parameter, and all parameters; letter case does not matter. The answer carries an `ETag`.',
      operationId: 'listModels',
      querystring: modelQuerySchema,
      response: { 200: modelListSchema, ...notModified },
    },
    async handle(request, reply) {
      const query = request.query as Record<string, unknown>; // The router's parser makes an object of it.
      const sections = decodeSections(query);
      const wanted = models.list().filter((model) => matchesFilter(describeModel(model), query));
      const data = await Promise.all(
        wanted.map((model) => encodeModel(model, sections, (id) => platform.prices.find(id))),
      );
      return sendTagged(request, reply, { object: 'list', data } satisfies z.input<typeof modelListSchema>);
    },
  };
}

/** `GET /v1/models/{id}`: ids contain slashes, sent as they are or percent-encoded. */
export function createModelRoute({ models, platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/models/*', '/models/*', '/api/v1/models/*', '/model/*'],
    access: 'open',
    schema: {
      tags: ['Models'],
      summary: 'One served model, by id or alias',
      operationId: 'getModel',
      params: z.object({ id: z.string().describe('The id, with its slashes, or an alias.') }),
      querystring: modelSectionsSchema,
      response: { 200: modelSchema, ...notModified, ...describeErrors([404]) },
    },
    async handle(request, reply) {
      const id = pathParameter(request, '*');
      const model = models.find(id);
      if (model === undefined) {
        throw new ApiError('model_not_found', {
          message: `Not found the model ${id.slice(0, 128)} or Permission denied`,
          param: 'model',
        });
      }
      const sections = decodeSections(request.query as Record<string, unknown>); // As above.
      return sendTagged(
        request,
        reply,
        await encodeModel(model, sections, (modelId) => platform.prices.find(modelId)),
      );
    },
  };
}
