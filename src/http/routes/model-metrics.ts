/** `GET /models/metrics`: how fast models answered in the last five minutes. */
import { z } from 'zod';
import { latencyWindowSeconds, type ModelLatency } from '../../usage/latency-window.ts';
import { describeErrors } from '../describe-api.ts';
import { encodeTime } from '../encode-time.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { parseQuery } from '../platform/parse-query.ts';
import type { Route } from './route.ts';

/** All turns come from there, whatever address they were sent to. */
const endpoint = '/v1/chat/completions';

const querySchema = z.strictObject({
  aliases: z
    .array(z.string())
    .max(100)
    .optional()
    .describe('Only these models (id or alias, exactly). Repeat it for several.'),
});

const percentiles = z
  .object({ p50: z.number(), p75: z.number(), p90: z.number(), p99: z.number() })
  .optional();
const modelMetricsSchema = z.object({
  alias: z.string().describe('The model’s id.'),
  endpoint: z.string().describe('Endpoint that was measured.'),
  metrics: z
    .object({
      ttft_ms: percentiles.describe('Time to the first token in milliseconds.'),
      tps: percentiles.describe('Output tokens per second from the first token on; higher is faster.'),
      duration_ms: percentiles.describe('The whole request in milliseconds.'),
    })
    .describe('A figure that nothing was measured of is absent.'),
});
const metricsSchema = z.object({
  window_seconds: z.int().describe('Length of the window.'),
  generated_at: z.iso.datetime().describe('When the figures were computed (UTC).'),
  models: z.array(modelMetricsSchema).describe('Models with a successful request in the window.'),
});

export function createModelMetricsRoute({ platform, models }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/models/metrics'],
    access: 'open',
    schema: {
      tags: ['Models'],
      summary: 'Latency percentiles per model over the last five minutes',
      description: 'Successful requests to this server process.',
      operationId: 'getModelMetrics',
      querystring: querySchema,
      response: { 200: metricsSchema, ...describeErrors([400]) },
    },
    async handle(request, reply) {
      const { aliases } = parseQuery(querySchema, request, { lists: ['aliases'] });
      const wanted = aliases && new Set(aliases.map((alias) => models.find(alias)?.id ?? alias));
      const summary = platform.latencies.summarise();
      return reply.send({
        window_seconds: latencyWindowSeconds,
        generated_at: encodeTime(summary.computedAt),
        models: summary.models
          .filter(({ modelId }) => wanted === undefined || wanted.has(modelId))
          .map(encodeLatency),
      } satisfies z.input<typeof metricsSchema>);
    },
  };
}

function encodeLatency(latency: ModelLatency): z.input<typeof modelMetricsSchema> {
  const { timeToFirstTokenMs, tokensPerSecond, durationMs } = latency;
  return {
    alias: latency.modelId,
    endpoint,
    metrics: {
      ...(timeToFirstTokenMs !== undefined && { ttft_ms: timeToFirstTokenMs }),
      ...(tokensPerSecond !== undefined && { tps: tokensPerSecond }),
      ...(durationMs !== undefined && { duration_ms: durationMs }),
    },
  };
}
