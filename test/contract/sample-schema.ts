import { asSchema, listOf, type Schema } from './flatten-schema.ts';

/**
 * Values that a schema allows, one for each thing it says: every enum value, bound, union branch, property left
 * out or given. Strings come from `textOf`, because the schema does not say which names are declared elsewhere.
 */
export function sampleSchema(schema: Schema, textOf: (path: string) => string, path = ''): unknown[] {
  const nulls = schema.nullable === true ? [null] : [];
  const branches = [...listOf(schema.anyOf), ...listOf(schema.oneOf)];
  if (branches.length > 0) {
    return [...nulls, ...branches.flatMap((branch) => sampleSchema(asSchema(branch), textOf, path))];
  }
  if (schema.enum !== undefined) return [...nulls, ...listOf(schema.enum)];
  switch (schema.type) {
    case 'string':
      return [...nulls, textOf(path)];
    case 'boolean':
      return [...nulls, true, false];
    case 'number':
    case 'integer':
      return [...nulls, schema.minimum ?? 0, schema.maximum ?? 7];
    case 'array':
      return [...nulls, ...sampleSchema(asSchema(schema.items), textOf, `${path}[]`).map((item) => [item])];
    case 'object':
      return [...nulls, ...sampleObject(schema, textOf, path)];
    default:
      // Without a type the contract means null where it says so, else anything.
      return nulls.length > 0 ? nulls : [{}];
  }
}

/** The object with its required properties only, then with each sample of each property. */
function sampleObject(schema: Schema, textOf: (path: string) => string, path: string): unknown[] {
  const samples = Object.entries(asSchema(schema.properties ?? {})).map(
    ([name, property]) => [name, sampleSchema(asSchema(property), textOf, `${path}.${name}`)] as const,
  );
  const required = new Set(listOf(schema.required));
  const smallest = Object.fromEntries(
    samples.filter(([name]) => required.has(name)).map(([name, values]) => [name, values[0]]),
  );
  return [
    smallest,
    ...samples.flatMap(([name, values]) => values.map((value) => ({ ...smallest, [name]: value }))),
  ];
}
