/** `/api/auth/…`: the ways in and out of the web app. What may come in is decided by `accounts/entrance.ts`. */

import { parseBody } from '../app/parse-body.ts';
import {
  changePasswordSchema,
  forgotPasswordSchema,
  resetPasswordSchema,
  signInSchema,
  signUpSchema,
  startOidcSchema,
} from '../app/person-schema.ts';
import { sendCookies, webClientOf } from '../app/web-client.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { sessionOf } from '../middleware/authenticate.ts';
import type { Route } from './route.ts';

/** These addresses are the web app's own; docs/accounts.md describes them. */
const schema = { hide: true };

/** `POST /api/auth/sign-up`. */
export function createSignUpRoute({ people }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/auth/sign-up'],
    access: 'same-origin',
    schema,
    async handle(request, reply) {
      const { invite: inviteToken, ...person } = parseBody(signUpSchema, request);
      const signUp = { ...person, name: person.name, inviteToken };
      const { state, setCookies } = await people.entrance.signUp(signUp, webClientOf(request));
      return sendCookies(reply, setCookies).send({ state });
    },
  };
}

/** `POST /api/auth/sign-in`. */
export function createSignInRoute({ people }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/auth/sign-in'],
    access: 'same-origin',
    schema,
    async handle(request, reply) {
      const { remember, ...person } = parseBody(signInSchema, request);
      const setCookies = await people.entrance.signIn(
        { ...person, isRemembered: remember },
        webClientOf(request),
      );
      return sendCookies(reply, setCookies).send({ state: 'signed_in' });
    },
  };
}

/** `POST /api/auth/sign-out`: also without a session, so that leaving always works. */
export function createSignOutRoute({ people }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/auth/sign-out'],
    access: 'same-origin',
    schema,
    async handle(request, reply) {
      const setCookies = await people.entrance.signOut(webClientOf(request));
      return sendCookies(reply, setCookies).send({ state: 'signed_out' });
    },
  };
}

/** `POST /api/auth/forgot-password`. */
export function createForgotPasswordRoute({ people }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/auth/forgot-password'],
    access: 'same-origin',
    schema,
    async handle(request, reply) {
      const { email } = parseBody(forgotPasswordSchema, request);
      await people.entrance.forgotPassword(email, webClientOf(request));
      return reply.send({ state: people.describe().hasSmtp ? 'mailed' : 'administrator_asked' });
    },
  };
}

/** `POST /api/auth/reset-password`. */
export function createResetPasswordRoute({ people }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/auth/reset-password'],
    access: 'same-origin',
    schema,
    async handle(request, reply) {
      await people.entrance.resetPassword(parseBody(resetPasswordSchema, request), webClientOf(request));
      return reply.send({ state: 'password_changed' });
    },
  };
}

/** `POST /api/auth/change-password`. */
export function createChangePasswordRoute({ people }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/auth/change-password'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const body = parseBody(changePasswordSchema, request);
      const change = {
        email: sessionOf(request).email,
        currentPassword: body.current_password,
        newPassword: body.new_password,
      };
      const setCookies = await people.entrance.changePassword(change, webClientOf(request));
      return sendCookies(reply, setCookies).send({ state: 'password_changed' });
    },
  };
}

/** `POST /api/auth/oidc`. */
export function createStartOidcRoute({ people }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/auth/oidc'],
    access: 'same-origin',
    schema,
    async handle(request, reply) {
      const { return_to: returnTo, invite: inviteToken } = parseBody(startOidcSchema, request);
      const start = { returnTo, inviteToken };
      const { url, setCookies } = await people.entrance.startOidc(start, webClientOf(request));
      return sendCookies(reply, setCookies).send({ url });
    },
  };
}

/** `GET /api/auth/callback/oidc`: the provider sends the browser here; a state that we drew proves it. */
export function createOidcCallbackRoute({ people, logger }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/auth/callback/oidc'],
    access: 'open',
    schema,
    async handle(request, reply) {
      const query = request.url.split('?')[1] ?? '';
      const { location, failure, setCookies } = await people.entrance.finishOidc(query, webClientOf(request));
      if (failure !== undefined) {
        const { inferenceId } = request.context;
        logger.warn({ inferenceId, failure }, 'a sign-in by the provider failed');
      }
      return sendCookies(reply, setCookies).redirect(location, 302);
    },
  };
}
