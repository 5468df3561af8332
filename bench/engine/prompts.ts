/** Prompts of a wanted length that no engine can have seen before, and ones that go on for ever. */

const words =
  'time year people way day man thing woman life child world school state family student group country problem hand part place case week company system program question work government number night point home water room mother area money story fact month lot right study book eye job word business issue side kind head house service friend father power hour game line end member law car city community name president team minute idea body information back parent face others level office door health person art war history party result change morning reason research girl guy moment air teacher force education'.split(
    ' ',
  );

let nextPrompt = 1;

/** About `tokens` tokens (these words are one token each), different from its first words on at every call. */
export function createFreshPrompt(tokens: number): string {
  let state = (nextPrompt++ * 2_654_435_761) >>> 0;
  const chosen: string[] = [];
  while (chosen.length < tokens) {
    // A linear congruential generator: the text must differ between calls and be the same between runs.
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    chosen.push(words[(state >>> 8) % words.length] ?? '');
  }
  return chosen.join(' ');
}

/** A list of numbers that a language model continues for hundreds of tokens; different per stream. */
export function createEndlessPrompt(stream: number): string {
  const first = 100 * (stream + 1) + (nextPrompt++ % 40);
  const lines = Array.from({ length: 24 }, (_, index) => `${first + index}\n`);
  return `The whole numbers from ${first} on, one per line:\n${lines.join('')}`;
}

/** A JSON value that cannot end within any budget the benchmark gives. */
export const longJsonSchema = {
  type: 'array',
  minItems: 200,
  items: {
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 12 },
      age: { type: 'integer' },
      is_new: { type: 'boolean' },
    },
    required: ['name', 'age', 'is_new'],
    additionalProperties: false,
  },
} as const;

export const jsonPrompt =
  'A JSON array of people:\n[{"name":"Ann","age":31,"is_new":true},{"name":"Bob","age":42,"is_new":false},';
