/** What a running server answers to the documentation's examples: recorded by `scripts/record-answers.ts`, compared by tests. */
import { type ExampleName, exampleRequest } from '../../web/src/routes/docs/example-requests.ts';
import { modelName, type RunningServer } from '../e2e/running-server.ts';

/** The body as the server sends it: JSON, or the events of a stream. */
export async function readExampleAnswer(
  { baseUrl, apiKey }: RunningServer,
  name: ExampleName,
  change: { readonly max_completion_tokens?: number } = {},
): Promise<string> {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...exampleRequest(name, modelName), ...change }),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`the example ${name} was answered with ${response.status}: ${body}`);
  return body;
}

/** Which weights answer under the served name. */
export async function readWeights({ baseUrl }: RunningServer): Promise<string> {
  const response = await fetch(`${baseUrl}/models`);
  const { data } = (await response.json()) as {
    readonly data: readonly { readonly id: string; readonly backing: { readonly weights: string } }[];
  };
  const weights = data.find(({ id }) => id === modelName)?.backing.weights;
  if (weights === undefined) throw new Error(`${modelName} is not served`);
  return weights;
}
