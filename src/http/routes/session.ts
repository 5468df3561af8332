/** `/api/session`, `/api/profile`, `/api/sessions`: a person in the web app, as they see themselves. */
import { passwordLength } from '../../accounts/password-length.ts';
import { hasSessionCookie } from '../../accounts/web-sessions.ts';
import { toUsdNumber } from '../../billing/money.ts';
import { ApiError } from '../../errors.ts';
import { parseBody } from '../app/parse-body.ts';
import { encodePerson, encodeSession, profileChangeSchema } from '../app/person-schema.ts';
import { sendCookies, webClientOf } from '../app/web-client.ts';
import { encodeTime } from '../encode-time.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { sessionOf } from '../middleware/authenticate.ts';
import { pathParameter } from '../path-parameter.ts';
import type { Route } from './route.ts';

/** These addresses are the web app's own; docs/accounts.md describes them. */
const schema = { hide: true };

/** `GET /api/session`: 200 for everybody. It needs no header: another page may send it, but cannot read the answer. */
export function createSessionRoute({ people, version }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/session'],
    access: 'open',
    schema,
    async handle(request, reply) {
      const { publicUrl, signUpMode, hasSmtp, oidcName } = people.describe();
      const { cookie } = request.headers;
      const renewed = hasSessionCookie(cookie) ? await people.sessions.renew(cookie) : undefined;
      const user =
        renewed === undefined
          ? null
          : encodePerson(await people.profiles.read(renewed.session.accountId), renewed.session);
      return sendCookies(reply, renewed?.setCookies ?? []).send({
        user,
        server: {
          version,
          public_url: publicUrl,
          sign_up_mode: signUpMode,
          has_smtp: hasSmtp,
          oidc: oidcName === undefined ? null : { name: oidcName },
          password_length_min: passwordLength.min,
          password_length_max: passwordLength.max,
        },
      });
    },
  };
}

/** `GET /api/invites/{token}`: what the page behind an invite's link shows. */
export function createInviteRoute({ people }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/invites/:token'],
    access: 'open',
    isPathSecret: true,
    schema,
    async handle(request, reply) {
      const token = pathParameter(request, 'token');
      const invite = await people.invites.findOpen(token);
      if (invite === undefined) throw new ApiError('not_found', { message: 'There is no such invite.' });
      return reply.header('cache-control', 'no-store').send({
        email: invite.email,
        credit_usd: toUsdNumber(invite.creditNanoUsd),
        expires_at: encodeTime(invite.expiresAt),
      });
    },
  };
}

/** `PATCH /api/profile`. */
export function createProfileRoute({ people }: HttpDependencies): Route {
  return {
    method: 'PATCH',
    paths: ['/api/profile'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const { current_password: currentPassword, ...change } = parseBody(profileChangeSchema, request);
      const session = sessionOf(request);
      const profile = await people.profiles.change(
        session,
        { ...change, currentPassword },
        webClientOf(request),
      );
      return reply.send({ data: encodePerson(profile, session) });
    },
  };
}

/** `GET /api/sessions`. */
export function createListSessionsRoute({ people }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/sessions'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const { id, userId } = sessionOf(request);
      const sessions = await people.sessions.list(userId);
      return reply.send({ data: sessions.map((summary) => encodeSession(summary, id)) });
    },
  };
}

/** `DELETE /api/sessions/{id}`. */
export function createEndSessionRoute({ people }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/api/sessions/:id'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const id = pathParameter(request, 'id');
      if (!(await people.sessions.end(sessionOf(request).userId, id))) throw new ApiError('not_found');
      return reply.send({ data: { id, deleted: true } });
    },
  };
}

/** `DELETE /api/sessions`: all but the one that asks. */
export function createEndOtherSessionsRoute({ people }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/api/sessions'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const { id, userId } = sessionOf(request);
      return reply.send({ data: { deleted: await people.sessions.endOthers(userId, id) } });
    },
  };
}
