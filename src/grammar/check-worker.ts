/** The entry of the checking thread: one job after the other, each answered by one outcome. */
import { parentPort } from 'node:worker_threads';
import type { JsonSchema } from '../chat/types.ts';
import { ApiError } from '../errors.ts';
import { createOutputCheck } from './check-output.ts';
import type { CheckJob, CheckOutcome, SchemaText } from './check-protocol.ts';

if (parentPort === null) {
  throw new Error('check-worker.ts runs only as a worker thread.');
}
const port = parentPort;

// What is thrown here and no ApiError is a defect; it ends the thread, and the other end reports it.
port.on('message', (job: CheckJob) => port.postMessage(answer(job)));

function answer(job: CheckJob): CheckOutcome {
  try {
    switch (job.type) {
      case 'compile':
        for (const schema of job.schemas) compile(schema);
        return { type: 'compiled' };
      case 'judge':
        return { type: 'judged', verdict: compile(job.schema)(job.output) };
      default:
        return job satisfies never;
    }
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown;
    return { type: 'refused', code: thrown.code, message: thrown.message, param: thrown.param };
  }
}

/** Takes the validator from the cache when it is there. Throws ApiError `invalid_schema`. */
function compile({ text, param }: SchemaText): ReturnType<typeof createOutputCheck> {
  try {
    // The other end made the text from a schema.
    return createOutputCheck(JSON.parse(text) as JsonSchema);
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.param !== undefined) throw thrown;
    // The check knows the schema only; the caller needs to know which one of the request it was.
    throw new ApiError(thrown.code, { message: thrown.message, param, cause: thrown });
  }
}
