import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { parseJsonBody } from '../middleware/read-body.ts';
import { describeIssues } from '../openai/describe-issue.ts';

/** A checked JSON body; a missing one counts as `{}`. Throws ApiError `invalid_request` or `invalid_json`. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  request: FastifyRequest,
): z.output<Schema> {
  const isEmpty = !(request.body instanceof Buffer) || request.body.length === 0;
  const parsed = schema.safeParse(isEmpty ? {} : parseJsonBody(request), { reportInput: true });
  if (!parsed.success) throw describeIssues(parsed.error.issues);
  return parsed.data;
}
