/** The requests that the documentation shows. `test/web/examples.test.ts` runs each of them in all three languages. */
import type { ChatRequestBody } from '../../api/wire-types.ts';

export const exampleNames = ['chat', 'stream', 'schema', 'tools'] as const;
export type ExampleName = (typeof exampleNames)[number];

/** What is asked, for the served model of that id. */
export function exampleRequest(name: ExampleName, model: string): ChatRequestBody {
  switch (name) {
    case 'chat':
      return { model, messages: [{ role: 'user', content: 'Hello' }] };
    case 'stream':
      return { model, messages: [{ role: 'user', content: 'Count to five.' }], stream: true };
    case 'schema':
      return {
        model,
        messages: [{ role: 'user', content: 'Describe Paris as JSON.' }],
        response_format: { type: 'json_schema', json_schema: { name: 'city', schema: citySchema } },
      };
    case 'tools':
      return {
        model,
        messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
        tools: [{ type: 'function', function: weatherTool }],
        tool_choice: 'required',
      };
    default:
      return name satisfies never;
  }
}

const citySchema = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 40 },
    country: { type: 'string', maxLength: 40 },
    population: { type: 'integer', minimum: 0, maximum: 40_000_000 },
  },
  required: ['name', 'country', 'population'],
  additionalProperties: false,
};

const weatherTool = {
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string', maxLength: 40 }, unit: { enum: ['celsius', 'fahrenheit'] } },
    required: ['city'],
    additionalProperties: false,
  },
};
