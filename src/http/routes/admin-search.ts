/** `POST /api/admin/search-test`: what each search backend finds, for whoever has to set them up. */
import { z } from 'zod';
import type { BackendProbe } from '../../web-search/probe-backends.ts';
import { parseBody } from '../app/parse-body.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { watchClient } from '../watch-client.ts';
import type { Route } from './route.ts';

const searchTestSchema = z.strictObject({ query: z.string().trim().min(1).max(400) });

export function createSearchTestRoute({ probeSearch }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/admin/search-test'],
    access: 'admin',
    schema: { hide: true },
    async handle(request, reply) {
      const { query } = parseBody(searchTestSchema, request);
      const probes = await probeSearch(query, watchClient(reply.raw));
      return reply.header('cache-control', 'no-store').send({ data: probes.map(encodeProbe) });
    },
  };
}

function encodeProbe({ backendId, durationMs, outcome }: BackendProbe) {
  return {
    backend: backendId,
    duration_ms: Math.round(durationMs),
    failure: outcome.isAnswered ? null : { code: outcome.failure, detail: outcome.detail },
    results: outcome.isAnswered
      ? outcome.results.map(({ title, url, snippet }) => ({ title, url, snippet }))
      : [],
  };
}
