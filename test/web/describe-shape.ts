/**
 * The names and types in an answer of the API, whatever its values: two answers to one request have the same. Items of a list
 * count once per shape, so that a longer answer has no other shape than a short one.
 */
export function describeShape(body: string): readonly string[] {
  const events = body
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length));
  const values = events.length === 0 ? [body] : events;
  return listShapes(values.map((text) => (text === '[DONE]' ? text : JSON.parse(text))));
}

const listShapes = (values: readonly unknown[]): string[] => [...new Set(values.map(describe))].toSorted();

function describe(value: unknown): string {
  if (Array.isArray(value)) return `[${listShapes(value).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const fields = Object.entries(value).map(([name, inner]) => `${name}: ${describe(inner)}`);
  return `{ ${fields.toSorted().join(', ')} }`;
}
