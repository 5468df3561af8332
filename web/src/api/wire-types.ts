/** What the server sends and takes, from the very schemas that it validates with. Types only: none of it is bundled. */
import type { z } from 'zod';
import type { completionChunkSchema, completionSchema } from '../../../src/http/openai/response-schema.ts';
import type { chatCompletionRequestSchema } from '../../../src/http/openai/schema.ts';
import type { modelSchema } from '../../../src/http/platform/model-schema.ts';

export type ChatRequestBody = z.input<typeof chatCompletionRequestSchema>;
export type ChatMessage = ChatRequestBody['messages'][number];
export type ChatTool = NonNullable<ChatRequestBody['tools']>[number];
export type ToolChoice = NonNullable<ChatRequestBody['tool_choice']>;
export type ResponseFormat = NonNullable<ChatRequestBody['response_format']>;

export type ChatChunk = z.output<typeof completionChunkSchema>;
export type Annotation = NonNullable<
  z.output<typeof completionSchema>['choices'][number]['message']['annotations']
>[number];
export type FinishReason = NonNullable<ChatChunk['choices'][number]['finish_reason']>;

export type Model = z.output<typeof modelSchema>;
