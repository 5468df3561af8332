/** OpenAPI schemas as flat facts, so that two documents can be compared however their unions are nested. */

export type Schema = { readonly [keyword: string]: unknown };

export interface SchemaFacts {
  /** Every enum value or const that any branch allows at this path. */
  readonly values: Set<unknown>;
  minimum: number | undefined;
  maximum: number | undefined;
}

/**
 * Path (`messages[].content[].text`) → what is known of it. Branches of unions are merged: what any of them has,
 * the path has. `resolve` follows a `$ref`.
 */
export function flattenSchema(schema: Schema, resolve: (ref: string) => Schema): Map<string, SchemaFacts> {
  const facts = new Map<string, SchemaFacts>();
  visit(schema, '');
  return facts;

  function visit(node: Schema, path: string): void {
    if (typeof node.$ref === 'string') {
      visit(resolve(node.$ref), path);
      return;
    }
    const known = facts.get(path) ?? { values: new Set(), minimum: undefined, maximum: undefined };
    facts.set(path, known);
    for (const value of listOf(node.enum)) known.values.add(value);
    if ('const' in node) known.values.add(node.const);
    if (typeof node.minimum === 'number')
      known.minimum = Math.min(node.minimum, known.minimum ?? node.minimum);
    if (typeof node.maximum === 'number')
      known.maximum = Math.max(node.maximum, known.maximum ?? node.maximum);
    for (const union of ['anyOf', 'oneOf', 'allOf']) {
      for (const branch of listOf(node[union])) visit(asSchema(branch), path);
    }
    for (const [name, property] of Object.entries(asSchema(node.properties ?? {}))) {
      visit(asSchema(property), path === '' ? name : `${path}.${name}`);
    }
    if (node.items !== undefined) visit(asSchema(node.items), `${path}[]`);
  }
}

/** An OpenAPI 3.0 schema as JSON Schema: `nullable` becomes a type. */
export function fromOpenApi30(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(fromOpenApi30);
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, example: _example, ...rest } = asSchema(node);
  const converted = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, fromOpenApi30(value)]),
  );
  if (nullable !== true || !('type' in converted)) return converted;
  return { anyOf: [converted, { type: 'null' }] };
}

export function asSchema(value: unknown): Schema {
  if (typeof value !== 'object' || value === null) throw new Error(`not a schema: ${JSON.stringify(value)}`);
  return value as Schema; // An object from JSON.parse: any key holds an unknown.
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value at `keys` of a parsed document. Throws when there is nothing. */
export function pick(document: unknown, ...keys: readonly string[]): Schema {
  return keys.reduce((node, key) => asSchema(node[key]), asSchema(document));
}
