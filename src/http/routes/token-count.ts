/** Moonshot's `POST /v1/tokenizers/estimate-token-count`: what a prompt would count, exactly. */
import { z } from 'zod';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { assertScope, callerOf } from '../middleware/authenticate.ts';
import { parseJsonBody } from '../middleware/read-body.ts';
import { decodeRequest } from '../openai/decode-request.ts';
import { encodeRateLimits } from '../openai/encode-rate-limits.ts';
import { chatCompletionRequestSchema } from '../openai/schema.ts';
import { watchClient } from '../watch-client.ts';
import type { Route } from './route.ts';

const tokenCountSchema = z.object({
  code: z.literal(0).describe('Always 0.'),
  data: z.object({ total_tokens: z.int().describe('Tokens of the prompt: messages, tools and template.') }),
  scode: z.literal('0x0').describe('Always 0x0.'),
  status: z.literal(true).describe('Always true.'),
});

export function createTokenCountRoute({ chat, models, settings }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/v1/tokenizers/estimate-token-count'],
    access: 'key',
    schema: {
      tags: ['Chat'],
      security: [{ bearer: [] }],
      summary: 'Count the tokens of a prompt',
      description:
        'Takes the body of a chat completion (`model`, `messages`, and `tools` where there are any) and counts it with the model’s own template and tokenizer. Nothing is generated or charged; it counts among the requests of the rate limits.',
      operationId: 'countTokens',
      body: chatCompletionRequestSchema,
      response: { 200: tokenCountSchema, ...describeErrors([400, 401, 403, 404, 415, 429, 500, 502, 503]) },
    },
    async handle(request, reply) {
      const caller = callerOf(request);
      const decoded = decodeRequest(parseJsonBody(request), {
        models,
        choiceCountMax: settings.choiceCountMax,
        isDeterministic: false,
      });
      assertScope(caller, 'chat', decoded.model.id);
      const tokens = await chat.countPrompt(decoded.request, {
        caller,
        inferenceId: request.context.inferenceId,
        signal: watchClient(reply.raw),
        onRateLimits: (state) => void reply.headers(encodeRateLimits(state)),
      });
      return reply.send({
        code: 0,
        data: { total_tokens: tokens },
        scode: '0x0',
        status: true,
      } satisfies z.input<typeof tokenCountSchema>);
    },
  };
}
