/** The answers of `POST /v1/chat/completions`, for docs/openapi.json. Encoders write them; tests hold both together. */
import { z } from 'zod';

const tokenCount = z.int().min(0);

const usage = z.object({
  prompt_tokens: tokenCount.describe('Number of tokens in the prompt.'),
  completion_tokens: tokenCount.describe('Number of generated tokens.'),
  total_tokens: tokenCount.describe('Both together.'),
  cached_tokens: tokenCount.describe('Prompt tokens whose computation was reused.'),
  prompt_tokens_details: z.object({
    cached_tokens: tokenCount.describe('The same as `usage.cached_tokens`.'),
  }),
});

const meta = z
  .object({
    usage: z.object({
      credits_used: z.int().min(0).describe('Cost in credits; 2,000,000 are one US dollar.'),
      usd_spent: z.number().min(0).describe('Cost in US dollars, at most nine decimals.'),
    }),
  })
  .describe('What the request cost.');

const alternative = z.object({
  token: z.string().describe('The token.'),
  logprob: z.number().describe('Its natural log probability, before temperature and penalties.'),
  bytes: z.array(z.int()).describe('The UTF-8 bytes of the token; it may be part of a character.'),
});
const tokenLogprob = alternative.extend({
  top_logprobs: z.array(alternative).describe('The likeliest tokens at this position.'),
});
const logprobs = z
  .object({
    content: z.array(tokenLogprob).describe('One entry per generated token.'),
    refusal: z.array(tokenLogprob).describe('Always empty.'),
  })
  .nullable()
  .describe('Null unless asked for.');

const finishReason = z
  .enum(['stop', 'length', 'tool_calls'])
  .describe(
    'stop: a natural end or a stop sequence; length: the token limit; tool_calls: the model called tools.',
  );

const annotation = z.object({
  type: z.literal('url_citation').describe('Always url_citation.'),
  url_citation: z.object({
    start_index: z.int().describe('First character of the citation, in Unicode code points.'),
    end_index: z.int().describe('Character after its last one.'),
    title: z.string().describe('Title of the page.'),
    url: z.string().describe('Address of the page.'),
  }),
});

const calledFunction = z.object({
  name: z.string().describe('The function to call.'),
  arguments: z.string().describe('Its arguments as JSON text.'),
});

export const completionSchema = z
  .object({
    id: z.string().describe('The inference id.'),
    object: z.literal('chat.completion').describe('The object type.'),
    created: z.int().describe('Unix time in seconds.'),
    model: z.string().describe('The model that answered.'),
    system_fingerprint: z.string().describe('Changes with the weights behind the name.'),
    choices: z.array(
      z.object({
        index: z.int().min(0).describe('Position among the choices.'),
        message: z.object({
          role: z.literal('assistant').describe('The role of the author.'),
          content: z.string().describe('The text; empty when the model only calls tools.'),
          refusal: z.string().nullable().describe('Always null.'),
          annotations: z.array(annotation).nullable().describe('Citations, after a web search.'),
          tool_calls: z
            .array(
              z.object({
                id: z.string().describe('`name:index`, counted over the conversation.'),
                type: z.literal('function').describe('The type of the tool.'),
                function: calledFunction,
              }),
            )
            .optional()
            .describe('Present when the model calls tools.'),
        }),
        logprobs,
        finish_reason: finishReason,
      }),
    ),
    usage,
    meta,
  })
  .meta({ id: 'ChatCompletion' });

export const completionChunkSchema = z
  .object({
    id: z.string().describe('The inference id, the same in every chunk.'),
    object: z.literal('chat.completion.chunk').describe('The object type.'),
    created: z.int().describe('Unix time in seconds.'),
    model: z.string().describe('The model that answers.'),
    system_fingerprint: z.string().describe('Changes with the weights behind the name.'),
    choices: z
      .array(
        z.object({
          index: z.int().min(0).describe('Position among the choices.'),
          delta: z.object({
            role: z.literal('assistant').optional().describe('Only in a choice’s first chunk.'),
            content: z.string().optional().describe('More text.'),
            refusal: z.string().nullable().optional().describe('Never sent.'),
            annotations: z
              .array(annotation)
              .optional()
              .describe('Citations, in the last chunk of a choice whose answer cites.'),
            tool_calls: z
              .array(
                z.object({
                  index: z.int().min(0).describe('Position among the calls of this choice.'),
                  id: z.string().optional().describe('Only in a call’s first chunk.'),
                  type: z.literal('function').optional().describe('Only in a call’s first chunk.'),
                  function: calledFunction.partial(),
                }),
              )
              .optional(),
          }),
          logprobs: logprobs.optional(),
          finish_reason: finishReason.nullable(),
          usage: usage
            .optional()
            .describe('In a choice’s last chunk; `completion_tokens` is this choice’s own.'),
        }),
      )
      .describe('Empty in the chunk that `stream_options.include_usage` adds.'),
    usage: usage
      .nullable()
      .optional()
      .describe(
        'With `stream_options.include_usage`: null, and in the last chunk the usage over all choices.',
      ),
    meta: meta.optional().describe('In the last chunk.'),
  })
  .meta({ id: 'ChatCompletionChunk' });

export const errorBodySchema = z
  .object({
    message: z.string().describe('What is wrong and what to do.'),
    path: z.string().describe('The path that was asked for.'),
    requestId: z.string().describe('The same as the header `x-inference-id`.'),
    statusCode: z.int().describe('The HTTP status.'),
    timestamp: z.iso.datetime().describe('When it happened, UTC.'),
    error: z.object({
      message: z.string().describe('What is wrong and what to do, in Moonshot’s words where it has some.'),
      type: z.string().describe('The class of the error (docs/errors.md).'),
      code: z.string().describe('The error itself (docs/errors.md).'),
      param: z.string().nullable().describe('The request field at fault, such as `messages[2].content`.'),
    }),
  })
  .meta({ id: 'Error', description: 'An error; docs/errors.md lists all of them.' });
