/** `/api/admin/accounts`: all accounts, who may come in, and what is booked by hand. */
import type { FastifyRequest } from 'fastify';
import { toUsdNumber } from '../../billing/money.ts';
import { ApiError } from '../../errors.ts';
import {
  accountChangeSchema,
  accountsQuerySchema,
  encodeAccount,
  encodeAccountKey,
  encodeLedgerLine,
  grantSchema,
  newAccountSchema,
  pageQuerySchema,
  refundSchema,
} from '../app/admin-schema.ts';
import { parseBody } from '../app/parse-body.ts';
import { encodeTime } from '../encode-time.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { sessionOf } from '../middleware/authenticate.ts';
import { pathParameter } from '../path-parameter.ts';
import { parseQuery } from '../platform/parse-query.ts';
import type { Route } from './route.ts';

/** These addresses are the web app's own; docs/accounts.md describes them. */
const schema = { hide: true };

/** `GET /api/admin/accounts`. */
export function createListAccountsRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/admin/accounts'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const { cursor: beforeId, ...query } = parseQuery(accountsQuerySchema, request, {
        integers: ['limit'],
      });
      const { accounts, nextBeforeId } = await platform.administration.list({ ...query, beforeId });
      return reply.send({
        data: accounts.map(encodeAccount),
        pagination: { limit: query.limit, next_cursor: nextBeforeId === null ? null : String(nextBeforeId) },
      });
    },
  };
}

/** `POST /api/admin/accounts`. */
export function createNewAccountRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/admin/accounts'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const {
        is_admin: isAdmin,
        credit_usd: openingCreditNanoUsd,
        ...person
      } = parseBody(newAccountSchema, request);
      const account = await platform.administration.create({ ...person, isAdmin, openingCreditNanoUsd });
      return reply.send({ data: encodeAccount(account) });
    },
  };
}

/** `GET /api/admin/accounts/{id}`. */
export function createAccountRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/admin/accounts/:id'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const accountId = accountIdOf(request);
      const account = await platform.administration.read(accountId);
      const [keys, managementKeys] = await Promise.all([
        platform.keys.list(accountId),
        platform.managementKeys.list(accountId),
      ]);
      const listed = [...keys, ...managementKeys].map(encodeAccountKey);
      return reply.send({ data: { ...encodeAccount(account), keys: listed } });
    },
  };
}

/** `PATCH /api/admin/accounts/{id}`. */
export function createChangeAccountRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'PATCH',
    paths: ['/api/admin/accounts/:id'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const change = parseBody(accountChangeSchema, request);
      const account = await platform.administration.change(accountIdOf(request), {
        isDisabled: change.disabled,
        isAdmin: change.is_admin,
        isEmailVerified: change.email_verified,
      });
      return reply.send({ data: encodeAccount(account) });
    },
  };
}

/** `POST /api/admin/accounts/{id}/approve`. */
export function createApproveAccountRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/admin/accounts/:id/approve'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const account = await platform.administration.approve(accountIdOf(request));
      return reply.send({ data: encodeAccount(account) });
    },
  };
}

/** `DELETE /api/admin/accounts/{id}`: refuses one that waits for approval; no other can be deleted. */
export function createRefuseAccountRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/api/admin/accounts/:id'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const id = accountIdOf(request);
      await platform.administration.refuse(id);
      return reply.send({ data: { id, deleted: true } });
    },
  };
}

/** `POST /api/admin/accounts/{id}/grants`. */
export function createGrantRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/admin/accounts/:id/grants'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const accountId = accountIdOf(request);
      const grant = parseBody(grantSchema, request);
      const { transferId, isRepeat } = await platform.bookings.grant({
        accountId,
        type: grant.type,
        amountNanoUsd: grant.amount_usd,
        note: grant.note,
        referenceId: grant.reference,
        onceKey: grant.once_key,
        bookedByAccountId: sessionOf(request).accountId,
      });
      return reply.send(await describeBooking(platform, { accountId, transferId, isRepeat }));
    },
  };
}

/** `POST /api/admin/accounts/{id}/refunds`. */
export function createRefundRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/admin/accounts/:id/refunds'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const accountId = accountIdOf(request);
      const { inference_id: inferenceId, note } = parseBody(refundSchema, request);
      const bookedByAccountId = sessionOf(request).accountId;
      const { transferId, isRepeat } = await platform.bookings.refund({
        accountId,
        inferenceId,
        note,
        bookedByAccountId,
      });
      return reply.send(await describeBooking(platform, { accountId, transferId, isRepeat }));
    },
  };
}

/** `GET /api/admin/accounts/{id}/transactions`. */
export function createAccountLedgerRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/admin/accounts/:id/transactions'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const accountId = accountIdOf(request);
      await platform.administration.read(accountId);
      const { limit, cursor } = parseQuery(pageQuerySchema, request, { integers: ['limit'] });
      const lines = await platform.bookings.list(accountId, { limit: limit + 1, beforeId: cursor });
      const page = lines.slice(0, limit);
      const last = lines.length > limit ? page.at(-1) : undefined;
      return reply.send({
        data: page.map(encodeLedgerLine),
        pagination: { limit, next_cursor: last === undefined ? null : String(last.id) },
      });
    },
  };
}

/** `POST /api/admin/accounts/{id}/reset-link`. */
export function createResetLinkRoute({ people }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/admin/accounts/:id/reset-link'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const { url, expiresAt } = await people.resets.createLink(accountIdOf(request));
      return reply
        .header('cache-control', 'no-store')
        .send({ data: { url, expires_at: encodeTime(expiresAt) } });
    },
  };
}

async function describeBooking(
  platform: HttpDependencies['platform'],
  booking: { readonly accountId: number; readonly transferId: number; readonly isRepeat: boolean },
) {
  const { accountId, transferId, isRepeat } = booking;
  const [[line], { balanceNanoUsd }] = await Promise.all([
    platform.bookings.list(accountId, { limit: 1, beforeId: transferId + 1 }),
    platform.billing.balance(accountId),
  ]);
  if (line === undefined) throw new Error(`the booking ${transferId} cannot be read`);
  return {
    data: {
      transfer: encodeLedgerLine(line),
      balance_usd: toUsdNumber(balanceNanoUsd),
      is_repeat: isRepeat,
    },
  };
}

/** The account that the address names. Throws ApiError `not_found` when it is no number. */
export function accountIdOf(request: FastifyRequest): number {
  const id = pathParameter(request, 'id');
  if (!/^[1-9]\d{0,14}$/.test(id)) throw new ApiError('not_found', { message: 'There is no such account.' });
  return Number(id);
}
