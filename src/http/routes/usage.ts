/** `/v2/usage`, `/v2/usage/detail` and `/v2/logs`: what a key has used. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { toUsdNumber } from '../../billing/money.ts';
import type { TimeSpan } from '../../usage/read-usage-sums.ts';
import type { UsageTotals } from '../../usage/usage-reports.ts';
import { describeErrors } from '../describe-api.ts';
import { encodeTime } from '../encode-time.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { invalidParameter, parseQuery } from '../platform/parse-query.ts';
import {
  decodeWindow,
  encodeGroup,
  encodeLogRow,
  encodeModelUsage,
  logsQuerySchema,
  logsSchema,
  usageDetailQuerySchema,
  usageDetailSchema,
  usageQuerySchema,
  usageSchema,
} from '../platform/usage-schema.ts';
import type { Route } from './route.ts';

const tags = ['Usage'];
const security = [{ bearer: [] }];
const statuses = [400, 401, 403, 404, 429, 500];

/** `GET /v2/usage`. */
export function createUsageRoute({ platform, clock }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v2/usage'],
    access: 'any-key',
    schema: {
      tags,
      security,
      summary: 'What a key has spent',
      operationId: 'getUsage',
      querystring: usageQuerySchema,
      response: { 200: usageSchema, ...describeErrors(statuses) },
    },
    async handle(request, reply) {
      refuseGrouping(request);
      const query = parseQuery(usageQuerySchema, request);
      const span = decodeWindow(query, clock.now());
      const keyId = await platform.usage.resolveKey(callerOf(request), query.key_prefix);
      const { total } = await platform.usage.report(keyId, span);
      return reply.send(encodeTotal(query.key_prefix, span, total));
    },
  };
}

/** `GET /v2/usage/detail`. */
export function createUsageDetailRoute({ platform, clock }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v2/usage/detail'],
    access: 'any-key',
    schema: {
      tags,
      security,
      summary: 'What a key has spent, by model and by day',
      operationId: 'getUsageDetail',
      querystring: usageDetailQuerySchema,
      response: { 200: usageDetailSchema, ...describeErrors(statuses) },
    },
    async handle(request, reply) {
      const query = parseQuery(usageDetailQuerySchema, request);
      const span = decodeWindow(query, clock.now());
      const keyId = await platform.usage.resolveKey(callerOf(request), query.key_prefix);
      const groupBy = query.group_by?.split(',');
      const grouping = groupBy && {
        byDay: groupBy.includes('day'),
        byModel: groupBy.includes('model'),
        timeZone: query.tz ?? 'UTC',
      };
      const { total, models, groups } = await platform.usage.report(keyId, span, grouping);
      return reply.send({
        ...encodeTotal(query.key_prefix, span, total),
        models: models.map(encodeModelUsage),
        ...(grouping !== undefined && { groups: groups.map(encodeGroup) }),
      } satisfies z.input<typeof usageDetailSchema>);
    },
  };
}

/** `GET /v2/logs`. */
export function createLogsRoute({ platform, clock, models }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v2/logs'],
    access: 'any-key',
    schema: {
      tags,
      security,
      summary: 'The requests made with a key, newest first',
      operationId: 'listLogs',
      querystring: logsQuerySchema,
      response: { 200: logsSchema, ...describeErrors(statuses) },
    },
    async handle(request, reply) {
      const query = parseQuery(logsQuerySchema, request, {
        integers: ['limit', 'offset'],
        lists: ['model', 'status'],
      });
      const { limit, offset } = query;
      const span = decodeWindow(query, clock.now());
      const keyId = await platform.usage.resolveKey(callerOf(request), query.key_prefix);
      const { requests, totalCount } = await platform.usage.listRequests(keyId, {
        ...span,
        // Names of models that are not served any more are their ids, or match nothing.
        modelIds: (query.model ?? []).map((name) => models.find(name)?.id ?? name),
        statuses: query.status ?? [],
        limit,
        offset,
      });
      return reply.send({
        data: requests.map(encodeLogRow),
        pagination: { limit, offset, total: totalCount, has_more: offset + requests.length < totalCount },
      } satisfies z.input<typeof logsSchema>);
    },
  };
}

function refuseGrouping(request: FastifyRequest): void {
  const query = request.query as Record<string, unknown>; // The router's parser makes an object of it.
  for (const name of ['group_by', 'tz']) {
    if (name in query) throw invalidParameter(name, 'is accepted by `/v2/usage/detail` only');
  }
}

function encodeTotal(
  prefix: string | undefined,
  span: TimeSpan,
  total: UsageTotals,
): z.input<typeof usageSchema> {
  return {
    api_key_prefix: prefix ?? null,
    start: encodeTime(span.from),
    end: encodeTime(span.to),
    spend: toUsdNumber(total.costNanoUsd),
    currency: 'USD',
    requests: total.chargedCount,
  };
}
