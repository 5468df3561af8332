/**
 * What the dashboard shows of an account as a whole: usage over time, the log of its requests, its keys. These
 * addresses are the web app's own; docs/accounts.md describes them.
 */
import type { z } from 'zod';
import { ApiError } from '../../errors.ts';
import { hoursMax } from '../../usage/account-usage.ts';
import { encodeTime } from '../encode-time.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { pathParameter } from '../path-parameter.ts';
import {
  type accountKeysSchema,
  decodeLogCursor,
  encodeAccountKey,
  encodeLogCursor,
  encodePoint,
  encodeRequest,
  encodeStory,
  encodeSums,
  type requestStorySchema,
  requestsQuerySchema,
  type requestsSchema,
  seriesQuerySchema,
  type seriesSchema,
} from '../platform/activity-schema.ts';
import { invalidParameter, parseQuery } from '../platform/parse-query.ts';
import { decodeWindow } from '../platform/usage-schema.ts';
import type { Route } from './route.ts';

const hourMs = 3_600_000;

/** `GET /api/usage`. */
export function createActivitySeriesRoute({ platform, clock }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/usage'],
    access: 'session',
    schema: { hide: true },
    async handle(request, reply) {
      const query = parseQuery(seriesQuerySchema, request);
      const span = decodeWindow(query, clock.now());
      if (query.step === 'hour' && span.to - span.from > (hoursMax - 1) * hourMs) {
        throw invalidParameter('step', `hours are shown for at most ${hoursMax - 1} hours`);
      }
      const { accountId } = callerOf(request);
      const [series, prefixes] = await Promise.all([
        platform.activity.series(accountId, { ...span, step: query.step, timeZone: query.tz }),
        platform.keys.prefixes(accountId),
      ]);
      return reply.send({
        start: encodeTime(span.from),
        end: encodeTime(span.to),
        steps: [...series.steps],
        points: series.points.map((point) => encodePoint(point, (id) => prefixes.get(id) ?? '')),
        total: encodeSums(series.total),
      } satisfies z.input<typeof seriesSchema>);
    },
  };
}

/** `GET /api/requests`. */
export function createActivityListRoute({ platform, clock, models }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/requests'],
    access: 'session',
    schema: { hide: true },
    async handle(request, reply) {
      const query = parseQuery(requestsQuerySchema, request, {
        integers: ['limit'],
        lists: ['model', 'key_prefix', 'status', 'origin'],
      });
      const { entries, next } = await platform.activity.list(callerOf(request).accountId, {
        ...decodeWindow(query, clock.now()),
        // Names of models that are not served any more are their ids, or match nothing.
        modelIds: (query.model ?? []).map((name) => models.find(name)?.id ?? name),
        keyPrefixes: query.key_prefix ?? [],
        statuses: query.status ?? [],
        origins: query.origin ?? [],
        id: query.id,
        limit: query.limit,
        before: decodeLogCursor(query.cursor),
      });
      return reply.send({
        data: entries.map(encodeRequest),
        pagination: {
          limit: query.limit,
          next_cursor: next === undefined ? null : encodeLogCursor(next),
        },
      } satisfies z.input<typeof requestsSchema>);
    },
  };
}

/** `GET /api/requests/{inference_id}`. */
export function createActivityStoryRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/requests/:inference_id'],
    access: 'session',
    schema: {
      hide: true,
    },
    async handle(request, reply) {
      const story = await platform.activity.story(
        callerOf(request).accountId,
        pathParameter(request, 'inference_id'),
      );
      if (story === undefined) {
        throw new ApiError('not_found', { message: 'This account has made no request with that id.' });
      }
      return reply.send({ data: encodeStory(story) } satisfies z.input<typeof requestStorySchema>);
    },
  };
}

/** `GET /api/keys`: what `GET /v1/keys` has, and what only the dashboard shows. */
export function createAccountKeysRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/keys'],
    access: 'session',
    schema: {
      hide: true,
    },
    async handle(request, reply) {
      const keys = await platform.keys.list(callerOf(request).accountId);
      return reply.send({ data: keys.map(encodeAccountKey) } satisfies z.input<typeof accountKeysSchema>);
    },
  };
}
