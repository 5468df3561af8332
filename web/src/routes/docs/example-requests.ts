/** The requests that the documentation shows. `test/web/examples.test.ts` runs each of them in all three languages. */
import type { ChatRequestBody } from '../../api/wire-types.ts';

export const exampleNames = ['chat', 'stream', 'schema', 'tools'] as const;
export type ExampleName = (typeof exampleNames)[number];

/** What is asked, for the served model of that id. Of its answers the likeliest: a reader compares his with the recorded one. */
export function exampleRequest(name: ExampleName, model: string): ChatRequestBody {
  return { model, ...exampleFields(name), temperature: 0 };
}

function exampleFields(name: ExampleName): Omit<ChatRequestBody, 'model'> {
  switch (name) {
    case 'chat':
      return { messages: [{ role: 'user', content: 'Hello' }] };
    case 'stream':
      return { messages: [{ role: 'user', content: 'Write the numbers from 1 to 5.' }], stream: true };
    case 'schema':
      return {
        messages: [{ role: 'user', content: 'Describe Paris as JSON.' }],
        response_format: { type: 'json_schema', json_schema: { name: 'city', schema: citySchema } },
      };
    case 'tools':
      return {
        messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
        tools: [{ type: 'function', function: weatherTool }],
        tool_choice: 'required',
        parallel_tool_calls: false,
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
