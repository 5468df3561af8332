import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { parseJsonBody } from '../middleware/read-body.ts';
import { describeIssues, invalidField } from '../openai/describe-issue.ts';

/** A checked JSON body; a missing one counts as `{}`. Throws ApiError `invalid_request` or `invalid_json`. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  request: FastifyRequest,
): z.output<Schema> {
  const isEmpty = !(request.body instanceof Buffer) || request.body.length === 0;
  const parsed = schema.safeParse(isEmpty ? {} : parseJsonBody(request), { reportInput: true });
  if (!parsed.success) throw describeIssues(parsed.error.issues);
  refuseNul(parsed.data);
  return parsed.data;
}

/** PostgreSQL keeps every character but this one; the answer is the same on every database. */
function refuseNul(data: unknown): void {
  for (const [name, value] of Object.entries(data ?? {})) {
    if (typeof value === 'string' && value.includes('\0')) {
      throw invalidField(name, 'must not contain the character U+0000');
    }
  }
}
