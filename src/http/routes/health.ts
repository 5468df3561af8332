import { z } from 'zod';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Route } from './route.ts';

const healthSchema = z.object({
  status: z.literal('ok').describe('The process answers.'),
  version: z.string().describe('Version of the software.'),
});

const readinessSchema = z.object({
  status: z.enum(['ready', 'not_ready']).describe('Whether chat completions can be answered now.'),
  checks: z.array(
    z.object({
      name: z.string().describe('What was checked.'),
      state: z.string().describe('`ready`, or what it is instead.'),
      detail: z.string().describe('What is wrong and what to do; empty when nothing is.'),
    }),
  ),
});

/** `GET /health`: alive. A supervisor restarts the process when this fails. */
export function createHealthRoute({ version }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/health'],
    access: 'open',
    schema: { tags: ['Service'], summary: 'Alive', operationId: 'health', response: { 200: healthSchema } },
    handle: (_request, reply) => reply.send({ status: 'ok', version } satisfies z.input<typeof healthSchema>),
  };
}

/** `GET /ready`: can answer. A load balancer sends no traffic while this says 503. */
export function createReadyRoute({ readiness }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/ready'],
    access: 'open',
    schema: {
      tags: ['Service'],
      summary: 'Ready to answer chat completions',
      operationId: 'ready',
      response: { 200: readinessSchema, 503: readinessSchema },
    },
    async handle(_request, reply) {
      const { isReady, checks } = await readiness();
      const body: z.input<typeof readinessSchema> = {
        status: isReady ? 'ready' : 'not_ready',
        checks: checks.map(({ name, state, detail }) => ({ name, state, detail })),
      };
      return reply
        .code(isReady ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(body);
    },
  };
}
