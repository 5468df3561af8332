/** Balance and ledger of the calling key's account, in the platform's and in Moonshot's words. */
import type { z } from 'zod';
import { toCredits, toUsdNumber } from '../../billing/money.ts';
import { describeErrors } from '../describe-api.ts';
import { encodeTime } from '../encode-time.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { callerOf } from '../middleware/authenticate.ts';
import {
  balanceSchema,
  billingDetailSchema,
  encodeTransfer,
  legacyBalanceSchema,
  moonshotBalanceSchema,
  transactionsQuerySchema,
  transactionsSchema,
} from '../platform/billing-schema.ts';
import { invalidParameter, parseQuery } from '../platform/parse-query.ts';
import type { Route } from './route.ts';

const tags = ['Billing'];
const security = [{ bearer: [] }];
/** Half a cent. */
const lowBalanceCredits = 10_000;

/** `GET /v2/billing`. */
export function createBalanceRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v2/billing'],
    access: 'any-key',
    schema: {
      tags,
      security,
      summary: 'The account’s balance',
      operationId: 'getBalance',
      response: { 200: balanceSchema, ...describeErrors([401, 429, 500]) },
    },
    async handle(request, reply) {
      const { balanceNanoUsd } = await platform.billing.balance(callerOf(request).accountId);
      return reply.send({
        current_balance: toUsdNumber(balanceNanoUsd),
        currency: 'USD',
      } satisfies z.input<typeof balanceSchema>);
    },
  };
}

/** `GET /v2/billing/detail`. */
export function createBillingDetailRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v2/billing/detail'],
    access: 'any-key',
    schema: {
      tags,
      security,
      summary: 'The account and its balance',
      operationId: 'getBillingDetail',
      response: { 200: billingDetailSchema, ...describeErrors([401, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = callerOf(request);
      const [account, { balanceNanoUsd }] = await Promise.all([
        platform.accounts.find(accountId),
        platform.billing.balance(accountId),
      ]);
      return reply.send({
        user_id: account.id,
        email: account.email,
        current_balance: toUsdNumber(balanceNanoUsd),
        currency: 'USD',
        autotopup_settings: { is_enabled: false, threshold: 0, amount: 0, currency: 'USD' },
      } satisfies z.input<typeof billingDetailSchema>);
    },
  };
}

/** `GET /v2/billing/transactions`. */
export function createTransactionsRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v2/billing/transactions'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'The account’s ledger, newest first',
      description: 'Not open to management keys.',
      operationId: 'listTransactions',
      querystring: transactionsQuerySchema,
      response: { 200: transactionsSchema, ...describeErrors([400, 401, 403, 429, 500]) },
    },
    async handle(request, reply) {
      const filter = parseQuery(transactionsQuerySchema, request, { integers: ['limit'] });
      if (filter.from !== undefined && filter.to !== undefined && filter.to <= filter.from) {
        throw invalidParameter('to', 'must be later than `from`');
      }
      const { transfers, nextCursor } = await platform.billing.listTransfers(
        callerOf(request).accountId,
        filter,
      );
      return reply.send({
        data: transfers.map(encodeTransfer),
        pagination: { next_cursor: nextCursor, has_more: nextCursor !== null },
      } satisfies z.input<typeof transactionsSchema>);
    },
  };
}

/** `GET /v1/billing/balance`. */
export function createLegacyBalanceRoute({ platform, clock }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/billing/balance'],
    access: 'any-key',
    schema: {
      tags,
      security,
      summary: 'The account’s balance in credits (older form)',
      operationId: 'getLegacyBalance',
      response: { 200: legacyBalanceSchema, ...describeErrors([401, 429, 500]) },
    },
    async handle(request, reply) {
      const { balanceNanoUsd } = await platform.billing.balance(callerOf(request).accountId);
      const balance = Number(toCredits(balanceNanoUsd));
      return reply.send({
        balance,
        lowBalance: balance < lowBalanceCredits,
        lowBalanceThreshold: lowBalanceCredits,
        lastUpdated: encodeTime(clock.now()),
        autoDebitStatus: 'disabled',
        status: 'current',
        statusExplanation: 'Balance is current and up to date',
      } satisfies z.input<typeof legacyBalanceSchema>);
    },
  };
}

/** Moonshot's `GET /v1/users/me/balance`. */
export function createMoonshotBalanceRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/users/me/balance'],
    access: 'any-key',
    schema: {
      tags,
      security,
      summary: 'What new requests may spend (Moonshot’s form)',
      operationId: 'getMoonshotBalance',
      response: { 200: moonshotBalanceSchema, ...describeErrors([401, 429, 500]) },
    },
    async handle(request, reply) {
      const { balanceNanoUsd, heldNanoUsd } = await platform.billing.balance(callerOf(request).accountId);
      const available = toUsdNumber(balanceNanoUsd - heldNanoUsd);
      return reply.send({
        code: 0,
        data: { available_balance: available, voucher_balance: 0, cash_balance: available },
        scode: '0x0',
        status: true,
      } satisfies z.input<typeof moonshotBalanceSchema>);
    },
  };
}
