/** `/api/admin/invites` and `/api/admin/reset-requests`: whom administrators let in, for the first time or again. */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../errors.ts';
import { encodeInvite, newInviteSchema } from '../app/admin-schema.ts';
import { parseBody } from '../app/parse-body.ts';
import { encodeTime } from '../encode-time.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { sessionOf } from '../middleware/authenticate.ts';
import { pathParameter } from '../path-parameter.ts';
import type { Route } from './route.ts';

/** These addresses are the web app's own; docs/accounts.md describes them. */
const schema = { hide: true };
const dayMs = 86_400_000;

/** `GET /api/admin/invites`. */
export function createListInvitesRoute({ people }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/admin/invites'],
    access: 'admin',
    schema,
    async handle(_request, reply) {
      return reply.send({ data: (await people.invites.list()).map(encodeInvite) });
    },
  };
}

/** `POST /api/admin/invites`: the one answer that shows the link. */
export function createNewInviteRoute({ people, logger }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/admin/invites'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const draft = parseBody(newInviteSchema, request);
      const { invite, token } = await people.invites.create({
        email: draft.email,
        creditNanoUsd: draft.credit_usd,
        note: draft.note,
        lifetimeMs: draft.expires_in_days * dayMs,
        createdByAccountId: sessionOf(request).accountId,
      });
      const url = `${people.describe().publicUrl}/app/sign-up?invite=${token}`;
      const isMailed = await people.mailInvite(invite, url).catch((error: unknown) => {
        // The link is shown all the same, so nothing is lost.
        logger.warn({ err: error }, 'an invite could not be mailed');
        return false;
      });
      return reply
        .header('cache-control', 'no-store')
        .send({ data: { ...encodeInvite(invite), url, mailed: isMailed } });
    },
  };
}

/** `DELETE /api/admin/invites/{id}`. */
export function createRevokeInviteRoute({ people }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/api/admin/invites/:id'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const id = numberOf(request);
      if (!(await people.invites.revoke(id))) throw notThere('open invite');
      return reply.send({ data: { id, deleted: true } });
    },
  };
}

/** `GET /api/admin/reset-requests`: who forgot a password, where no mail can be sent. */
export function createListResetRequestsRoute({ people }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/admin/reset-requests'],
    access: 'admin',
    schema,
    async handle(_request, reply) {
      const requests = await people.resets.listRequests();
      return reply.send({
        data: requests.map(({ accountId, email, requestedAt }) => ({
          account_id: accountId,
          email,
          requested_at: encodeTime(requestedAt),
        })),
      });
    },
  };
}

/** `DELETE /api/admin/reset-requests/{account_id}`. */
export function createCloseResetRequestRoute({ people }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/api/admin/reset-requests/:id'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const accountId = numberOf(request);
      if (!(await people.resets.closeRequest(accountId))) throw notThere('such request');
      return reply.send({ data: { account_id: accountId, deleted: true } });
    },
  };
}

function numberOf(request: FastifyRequest): number {
  const id = pathParameter(request, 'id');
  if (!/^[1-9]\d{0,14}$/.test(id)) throw notThere('such thing');
  return Number(id);
}

function notThere(what: string): ApiError {
  return new ApiError('not_found', { message: `There is no ${what}.` });
}
