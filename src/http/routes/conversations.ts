/** `/api/conversations`: what a person keeps of the playground, and what they share of it. */
import {
  conversationChangeSchema,
  encodeConversation,
  encodeExport,
  encodeShared,
  encodeSummary,
  newConversationSchema,
  pageQuerySchema,
} from '../app/conversation-schema.ts';
import { parseBody } from '../app/parse-body.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { sessionOf } from '../middleware/authenticate.ts';
import { pathParameter } from '../path-parameter.ts';
import { parseQuery } from '../platform/parse-query.ts';
import type { Route } from './route.ts';

/** These addresses are the web app's own; docs/accounts.md describes them. */
const schema = { hide: true };

/** `GET /api/conversations`. */
export function createListConversationsRoute({ platform: { conversations } }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/conversations'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const { limit, cursor, search } = parseQuery(pageQuerySchema, request, { integers: ['limit'] });
      const page = await conversations.list(sessionOf(request).accountId, { limit, cursor, search });
      return reply.send({
        data: page.conversations.map(encodeSummary),
        pagination: { limit, next_cursor: page.nextCursor },
      });
    },
  };
}

/** `POST /api/conversations`. */
export function createNewConversationRoute({ platform: { conversations } }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/conversations'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const draft = parseBody(newConversationSchema, request);
      const made = await conversations.create(sessionOf(request).accountId, draft);
      return reply.send({ data: encodeConversation(made) });
    },
  };
}

/** `GET /api/conversations/{id}`. */
export function createConversationRoute({ platform: { conversations } }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/conversations/:id'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const found = await conversations.read(sessionOf(request).accountId, pathParameter(request, 'id'));
      return reply.send({ data: encodeConversation(found) });
    },
  };
}

/** `PATCH /api/conversations/{id}`. */
export function createChangeConversationRoute({ platform: { conversations } }: HttpDependencies): Route {
  return {
    method: 'PATCH',
    paths: ['/api/conversations/:id'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const change = parseBody(conversationChangeSchema, request);
      const changed = await conversations.change(
        sessionOf(request).accountId,
        pathParameter(request, 'id'),
        change,
      );
      return reply.send({ data: encodeSummary(changed) });
    },
  };
}

/** `DELETE /api/conversations/{id}`. */
export function createDeleteConversationRoute({ platform: { conversations } }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/api/conversations/:id'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const id = pathParameter(request, 'id');
      await conversations.remove(sessionOf(request).accountId, id);
      return reply.send({ data: { id, deleted: true } });
    },
  };
}

/** `GET /api/conversations/{id}/export`: the same as a file. */
export function createExportConversationRoute({ platform: { conversations } }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/conversations/:id/export'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const found = await conversations.read(sessionOf(request).accountId, pathParameter(request, 'id'));
      return (
        reply
          .header('content-type', 'application/json; charset=utf-8')
          // Named by the id, which is ours: a title could hold anything.
          .header('content-disposition', `attachment; filename="${found.id}.json"`)
          .send(encodeExport(found))
      );
    },
  };
}

/** `PUT /api/conversations/{id}/share`. */
export function createShareConversationRoute({ platform: { conversations } }: HttpDependencies): Route {
  return {
    method: 'PUT',
    paths: ['/api/conversations/:id/share'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const shareId = await conversations.share(
        sessionOf(request).accountId,
        pathParameter(request, 'id'),
        true,
      );
      return reply.send({ data: { share_id: shareId } });
    },
  };
}

/** `DELETE /api/conversations/{id}/share`: the link is dead at once, and for ever. */
export function createUnshareConversationRoute({ platform: { conversations } }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/api/conversations/:id/share'],
    access: 'session',
    schema,
    async handle(request, reply) {
      await conversations.share(sessionOf(request).accountId, pathParameter(request, 'id'), false);
      return reply.send({ data: { share_id: null } });
    },
  };
}

/** `GET /api/shared/{id}`: for whoever has the link. */
export function createSharedConversationRoute({ platform: { conversations } }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/shared/:id'],
    access: 'open',
    isPathSecret: true,
    schema,
    async handle(request, reply) {
      const shared = await conversations.readShared(pathParameter(request, 'id'));
      return reply
        .header('cache-control', 'no-store')
        .header('x-robots-tag', 'noindex')
        .send({ data: encodeShared(shared) });
    },
  };
}
