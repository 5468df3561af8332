/** Moonshot's official tools (protocol sheet 2.2): their declarations, and runs of them ("fibers"). */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Formula, type FormulaOutcome, findFormula } from '../../web-search/formulas/formula.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { assertScope, callerOf } from '../middleware/authenticate.ts';
import { parseJsonBody } from '../middleware/read-body.ts';
import { describeIssues, invalidField } from '../openai/describe-issue.ts';
import { encodeRateLimits } from '../openai/encode-rate-limits.ts';
import { encodeCostHeaders } from '../openai/encode-usage.ts';
import { watchClient } from '../watch-client.ts';
import type { Route } from './route.ts';

const uriParameters = z.object({
  namespace: z.string().describe('Always `moonshot`.'),
  name: z.string().describe('The tool, with or without its tag: `web-search:latest`.'),
});

const toolListSchema = z.object({
  object: z.literal('list').describe('The object type.'),
  tools: z.array(
    z.object({
      type: z.literal('function').describe('The type of the tool.'),
      function: z.object({
        name: z.string().describe('The function to declare; its calls are posted as fibers.'),
        description: z.string().describe('What it does.'),
        parameters: z.record(z.string(), z.unknown()).describe('JSON Schema of its arguments.'),
      }),
    }),
  ),
});

const fiberRequestSchema = z.object({
  name: z.string().describe('The `function.name` of the model’s call.'),
  arguments: z.string().max(100_000).describe('Its `function.arguments`, as they came.'),
});

const fiberSchema = z.object({
  id: z.string().describe('`fiber-` and the id of this request.'),
  object: z.literal('fiber').describe('The object type.'),
  created_at: z.int().describe('Unix time in seconds.'),
  status: z.enum(['succeeded', 'failed']).describe('Whether there is an output.'),
  formula: z.string().describe('The tool that ran.'),
  context: z.object({
    input: z.string().describe('What was asked, as JSON text.'),
    output: z.string().optional().describe('The content of the tool message.'),
    encrypted_output: z
      .string()
      .optional()
      .describe('The content of the tool message, for the model’s eyes only (`moonshot/web-search`).'),
    references: z
      .array(z.object({ title: z.string(), url: z.string() }))
      .optional()
      .describe('The pages behind an encrypted output.'),
    error: z.string().optional().describe('Why it failed.'),
  }),
  error: z.string().optional().describe('The same as `context.error`.'),
});

export function createFormulaToolsRoute({ formulas }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/formulas/:namespace/:name/tools', '/v1/formulas/:uri/tools'],
    access: 'key',
    schema: {
      tags: ['Web search'],
      security: [{ bearer: [] }],
      summary: 'Get the declaration of an official tool',
      description:
        'Append `tools` to the tools of a chat completion, and post the calls of the model as fibers.',
      operationId: 'getFormulaTools',
      params: uriParameters,
      response: { 200: toolListSchema, ...describeErrors([401, 404]) },
    },
    handle(request, reply) {
      const { functionName, description, parameters } = findFormula(formulas.formulas, readUri(request));
      return reply.send({
        object: 'list',
        tools: [{ type: 'function', function: { name: functionName, description, parameters } }],
      });
    },
  };
}

export function createFiberRoute(dependencies: HttpDependencies): Route {
  const { formulas, clock, models } = dependencies;
  return {
    method: 'POST',
    paths: ['/v1/formulas/:namespace/:name/fibers', '/v1/formulas/:uri/fibers'],
    access: 'key',
    schema: {
      tags: ['Web search'],
      security: [{ bearer: [] }],
      summary: 'Run an official tool',
      operationId: 'createFiber',
      params: uriParameters,
      body: fiberRequestSchema,
      response: { 200: fiberSchema, ...describeErrors([400, 401, 403, 404, 415, 429, 500]) },
    },
    async handle(request, reply) {
      const caller = callerOf(request);
      const formula = findFormula(formulas.formulas, readUri(request));
      if (formula.scope !== undefined) assertScope(caller, formula.scope, models.list()[0]?.id ?? '');
      const parsed = fiberRequestSchema.safeParse(parseJsonBody(request), { reportInput: true });
      if (!parsed.success) throw describeIssues(parsed.error.issues);
      const { name, arguments: argumentsText } = parsed.data;
      if (name !== formula.functionName) {
        throw invalidField('name', `must be \`${formula.functionName}\` for \`${formula.name}\``);
      }
      const { inferenceId, clientRequestId } = request.context;
      const { outcome, charge } = await formulas.run({
        formula,
        argumentsText,
        caller,
        inferenceId,
        clientRequestId,
        signal: watchClient(reply.raw),
        onRateLimits: (state) => void reply.headers(encodeRateLimits(state)),
      });
      reply.headers(encodeCostHeaders(charge));
      return reply.send({
        id: `fiber-${inferenceId.slice(inferenceId.lastIndexOf('-') + 1)}`,
        object: 'fiber',
        created_at: Math.floor(clock.now() / 1000),
        status: outcome.status,
        formula: uriOf(formula),
        context: { input: JSON.stringify(parsed.data), ...encodeOutcome(outcome) },
        ...(outcome.status === 'failed' && { error: outcome.error }),
      } satisfies z.input<typeof fiberSchema>);
    },
  };
}

const uriOf = ({ name }: Formula): string => `${name}:latest`;

function encodeOutcome(outcome: FormulaOutcome) {
  if (outcome.status === 'failed') return { error: outcome.error };
  const { output, references } = outcome;
  return {
    ...(output.isSealed ? { encrypted_output: output.text } : { output: output.text }),
    ...(references !== undefined && { references: [...references] }),
  };
}

const pathSchema = z.union([
  uriParameters.transform(({ namespace, name }) => `${namespace}/${name}`),
  // Clients that encode the slash send one segment.
  z.object({ uri: z.string() }).transform(({ uri }) => uri),
]);

/** The router has matched the path, so that one of both forms is there. */
const readUri = (request: FastifyRequest): string => pathSchema.parse(request.params);
