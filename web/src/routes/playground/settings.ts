/** Everything that a request is made of besides its messages, as the panel shows it. */
import type { ResponseFormat, ToolChoice } from '../../api/wire-types.ts';

export interface Settings {
  readonly model: string;
  readonly systemPrompt: string;
  /** Undefined = not sent: the server's default holds. */
  readonly parameters: Readonly<Partial<Record<ParameterName, number>>>;
  readonly stop: readonly string[];
  readonly isDeterministic: boolean;
  readonly format: 'text' | 'json_object' | 'json_schema';
  /** Name and JSON text of the schema; kept while another format is chosen. */
  readonly schemaName: string;
  readonly schemaText: string;
  /** JSON text: a list of function tools, each as `tools[]` of the API has it. */
  readonly toolsText: string;
  readonly areToolsOn: boolean;
  readonly toolChoice: 'auto' | 'none' | 'required';
  readonly isWebSearchOn: boolean;
}

export type ParameterName =
  | 'temperature'
  | 'top_p'
  | 'max_completion_tokens'
  | 'presence_penalty'
  | 'frequency_penalty'
  | 'seed'
  | 'n'
  | 'top_logprobs';

export interface Parameter {
  readonly name: ParameterName;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** What the server takes when the parameter is absent; undefined = it depends. */
  readonly serverDefault: number | undefined;
}

/** The contract's bounds. `seed` has none, and `n` is bounded here by what can be read side by side. */
export const parameters: readonly Parameter[] = [
  { name: 'temperature', min: 0, max: 2, step: 0.05, serverDefault: 0.6 },
  { name: 'top_p', min: 0.01, max: 1, step: 0.01, serverDefault: 1 },
  { name: 'max_completion_tokens', min: 1, max: 262_144, step: 1, serverDefault: 1_024 },
  { name: 'presence_penalty', min: -2, max: 2, step: 0.1, serverDefault: 0 },
  { name: 'frequency_penalty', min: -2, max: 2, step: 0.1, serverDefault: 0 },
  { name: 'n', min: 1, max: 4, step: 1, serverDefault: 1 },
  {
    name: 'seed',
    min: Number.MIN_SAFE_INTEGER,
    max: Number.MAX_SAFE_INTEGER,
    step: 1,
    serverDefault: undefined,
  },
  { name: 'top_logprobs', min: 0, max: 20, step: 1, serverDefault: undefined },
];

export const stopsMax = 5;

const exampleSchema = {
  type: 'object',
  properties: {
    city: { type: 'string' },
    country: { type: 'string' },
    population: { type: 'integer', minimum: 0 },
  },
  required: ['city', 'country', 'population'],
  additionalProperties: false,
};

const exampleTools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather in a city.',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
        required: ['city'],
      },
    },
  },
];

/** What a new conversation begins with. */
export function createSettings(model: string): Settings {
  return {
    model,
    systemPrompt: '',
    parameters: {},
    stop: [],
    isDeterministic: false,
    format: 'text',
    schemaName: 'answer',
    schemaText: JSON.stringify(exampleSchema, null, 2),
    toolsText: JSON.stringify(exampleTools, null, 2),
    areToolsOn: false,
    toolChoice: 'auto',
    isWebSearchOn: false,
  };
}

/** The format on the wire; undefined = plain text, which needs no field. Throws SyntaxError for a schema that is no JSON. */
export function encodeFormat({ format, schemaName, schemaText }: Settings): ResponseFormat | undefined {
  if (format === 'text') return undefined;
  if (format === 'json_object') return { type: 'json_object' };
  return {
    type: 'json_schema',
    json_schema: {
      name: schemaName,
      strict: true,
      // Whether it is a schema at all is judged by the server.
      schema: JSON.parse(schemaText) as Record<string, unknown>,
    },
  };
}

/** Only sent when something can be chosen. */
export function encodeToolChoice({
  toolChoice,
  areToolsOn,
  isWebSearchOn,
}: Settings): ToolChoice | undefined {
  return toolChoice === 'auto' || !(areToolsOn || isWebSearchOn) ? undefined : toolChoice;
}
