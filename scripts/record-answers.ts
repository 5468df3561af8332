/**
 * `node scripts/record-answers.ts`: asks the default model what the documentation asks, and keeps its answers as they came.
 * Nobody edits them: `test/web/examples.test.ts` holds their shape against fresh ones.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startServer } from '../test/e2e/running-server.ts';
import { readExampleAnswer, readWeights } from '../test/web/read-example-answer.ts';
import { exampleNames } from '../web/src/routes/docs/example-requests.ts';
import type { RecordedAnswers } from '../web/src/routes/docs/recorded-answers.ts';
import { repositoryRoot, runTool } from './run-step.ts';

const file = path.join(repositoryRoot, 'web/src/routes/docs/recorded-answers.json');

const server = await startServer();
try {
  const answers: Record<string, string> = {};
  for (const name of exampleNames) answers[name] = await readExampleAnswer(server, name);
  const recorded = {
    weights: await readWeights(server),
    date: new Date().toISOString().slice(0, 10),
    answers: answers as RecordedAnswers['answers'], // One per name, by the loop above.
  } satisfies RecordedAnswers;
  await writeFile(file, `${JSON.stringify(recorded, null, 2)}\n`);
} finally {
  await server.stop();
}
process.exitCode = await runTool('biome', ['format', '--write', file]);
