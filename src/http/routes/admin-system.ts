/** `/api/admin/prices`, `/models`, `/engines`, `/system`: what is served, what it costs, and how it does. */
import type { FastifyBaseLogger } from 'fastify';
import type { PriceVersion } from '../../billing/price-administration.ts';
import type { ServedModel } from '../../engines/registry.ts';
import { ApiError } from '../../errors.ts';
import type { JobReport } from '../../jobs/job-loop.ts';
import { parseBody } from '../app/parse-body.ts';
import { applyPriceChange, encodePrices, priceChangeSchema } from '../app/price-schema.ts';
import { encodeTime } from '../encode-time.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { pathParameter } from '../path-parameter.ts';
import type { Route } from './route.ts';

/** These addresses are the web app's own; docs/accounts.md describes them. */
const schema = { hide: true };

/** `GET /api/admin/prices`: of every served model, and of models that have a price and are not served any more. */
export function createListPricesRoute({ platform, models }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/admin/prices'],
    access: 'admin',
    schema,
    async handle(_request, reply) {
      const versions = Map.groupBy(await platform.priceList.list(), ({ modelId }) => modelId);
      const ids = new Set([...models.list().map(({ id }) => id), ...versions.keys()]);
      return reply.send({ data: [...ids].map((id) => encodePrices(id, versions.get(id) ?? [])) });
    },
  };
}

/** `PUT /api/admin/prices/{model}`: a new version; charges of the old one keep it. */
export function createSetPriceRoute({ platform, models }: HttpDependencies): Route {
  return {
    method: 'PUT',
    paths: ['/api/admin/prices/*'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const asked = pathParameter(request, '*');
      const before = await listVersions(platform, models.find(asked)?.id ?? asked);
      const modelId = models.find(asked)?.id ?? before[0]?.modelId;
      if (modelId === undefined) throw new ApiError('model_not_found');
      const change = parseBody(priceChangeSchema, request);
      await platform.priceList.set(modelId, applyPriceChange(before[0], change));
      return reply.send({ data: encodePrices(modelId, await listVersions(platform, modelId)) });
    },
  };
}

/** `GET /api/admin/models`. */
export function createAdminModelsRoute({ models }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/admin/models'],
    access: 'admin',
    schema,
    handle: (_request, reply) => reply.send({ data: models.list().map(encodeModel) }),
  };
}

/** `GET /api/admin/engines`: one entry per engine, however many names it serves. */
export function createEnginesRoute({ models }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/admin/engines'],
    access: 'admin',
    schema,
    async handle(request, reply) {
      const served = Map.groupBy(models.list(), ({ engine }) => engine);
      const data = await Promise.all(
        [...served].map(async ([engine, names]) => ({
          id: engine.id,
          kind: engine.kind,
          ...encodeHealth(engine),
          models: names.map(({ id }) => id),
          stats: await readStats(engine, request.log),
        })),
      );
      return reply.header('cache-control', 'no-store').send({ data });
    },
  };
}

/** `GET /api/admin/system`. */
export function createSystemRoute({ systemHealth, readiness, version, clock }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/admin/system'],
    access: 'admin',
    schema,
    async handle(_request, reply) {
      const [health, { isReady, checks }] = await Promise.all([systemHealth(), readiness()]);
      return reply.header('cache-control', 'no-store').send({
        data: {
          version,
          node: health.nodeVersion,
          started_at: encodeTime(health.startedAt),
          uptime_seconds: Math.max(0, Math.floor((clock.now() - health.startedAt) / 1_000)),
          memory: {
            rss_bytes: health.memory.residentBytes,
            heap_bytes: health.memory.heapBytes,
            machine_total_bytes: health.memory.machineTotalBytes,
            machine_free_bytes: health.memory.machineFreeBytes,
          },
          disk: { total_bytes: health.disk.totalBytes, free_bytes: health.disk.freeBytes },
          store: { kind: health.store.kind, size_bytes: health.store.sizeBytes },
          readiness: { is_ready: isReady, checks },
          jobs: health.jobs.map(encodeJob),
        },
      });
    },
  };
}

function encodeJob(job: JobReport) {
  return {
    name: job.name,
    interval_seconds: job.intervalMs / 1_000,
    is_running: job.isRunning,
    rounds: job.roundCount,
    failed: job.failedCount,
    last_ended_at: encodeTime(job.lastEndedAt),
    last_duration_ms: job.lastDurationMs === null ? null : Math.round(job.lastDurationMs),
    last_failure: job.lastFailure,
  };
}

async function listVersions(
  platform: HttpDependencies['platform'],
  modelId: string,
): Promise<readonly PriceVersion[]> {
  return (await platform.priceList.list()).filter((version) => version.modelId === modelId);
}

function encodeHealth(engine: ServedModel['engine']) {
  const health = engine.health();
  return { state: health.state, detail: health.state === 'ready' ? '' : health.detail };
}

function encodeModel({ id, wireName, aliases, engine }: ServedModel) {
  const backing = engine.health().state === 'ready' ? engine.backing() : undefined;
  return {
    id,
    wire_name: wireName,
    aliases,
    engine: engine.id,
    ...encodeHealth(engine),
    backing:
      backing === undefined
        ? null
        : {
            weights: backing.weights,
            size_bytes: backing.sizeBytes ?? null,
            licence: backing.licence ?? null,
            context_tokens: backing.contextTokens,
            digest: backing.digest,
            is_schema_enforced: backing.isSchemaEnforced,
          },
  };
}

/** Null for an engine that keeps no such figures, or has just died: the health beside them says so. */
async function readStats(engine: ServedModel['engine'], log: FastifyBaseLogger) {
  const stats = await engine.stats?.().catch((error: unknown) => {
    log.warn({ err: error, engine: engine.id }, 'an engine could not be asked for its figures');
    return undefined;
  });
  if (stats === undefined) return null;
  return {
    running: stats.runningCount,
    waiting: stats.waitingCount,
    waiting_max: stats.waitingCountMax,
    kv_cells_used: stats.kvCellsUsed,
    kv_cells_total: stats.kvCellsTotal,
    prompt_tokens_per_second: stats.promptTokensPerSecond,
    output_tokens_per_second: stats.outputTokensPerSecond,
  };
}
