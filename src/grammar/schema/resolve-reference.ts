/** Finds what `$ref` points to, within the schema itself only: nothing is ever fetched. */
import type { JsonSchema, JsonValue } from '../../chat/types.ts';
import {
  createSchemaError,
  isArray,
  isObject,
  isSchema,
  joinPath,
  keywordOf,
  type LocatedSchema,
  type SchemaObject,
  subschemasOf,
} from './located-schema.ts';

const rootUri = 'schema:///root';

export interface ReferenceResolver {
  /** @throws ApiError `invalid_schema` when nothing in the schema has that address. */
  resolve(from: SchemaObject, path: string, reference: string): LocatedSchema;
}

export function createReferenceResolver(root: JsonSchema, param: string | undefined): ReferenceResolver {
  /** Absolute address of a resource or an anchor → schema. */
  const targets = new Map<string, LocatedSchema>();
  /** The base address that holds at each schema object. */
  const bases = new Map<SchemaObject, string>();
  let isIndexed = false;
  /** Found out at the first reference: a schema may have thousands. */
  let isOneResource: boolean | undefined;

  const index = (located: LocatedSchema, baseAbove: string): void => {
    const { schema } = located;
    if (typeof schema === 'boolean' || bases.has(schema)) return;
    const id = keywordOf(schema, '$id');
    const base = typeof id === 'string' ? (joinUri(id, baseAbove)?.split('#')[0] ?? baseAbove) : baseAbove;
    bases.set(schema, base);
    if (base !== baseAbove) targets.set(base, located);
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const anchor = keywordOf(schema, keyword);
      if (typeof anchor === 'string') targets.set(`${base}#${anchor}`, located);
    }
    for (const inner of subschemasOf(located)) index(inner, base);
  };

  const resolve = (from: SchemaObject, path: string, reference: string): LocatedSchema => {
    isOneResource ??= !hasIdentifiers(root);
    if (isOneResource && (reference === '#' || reference.startsWith('#/'))) {
      return follow({ schema: root, path: '' }, reference.slice(1), path);
    }
    if (!isIndexed) {
      targets.set(rootUri, { schema: root, path: '' });
      index({ schema: root, path: '' }, rootUri);
      isIndexed = true;
    }
    const uri = joinUri(reference, bases.get(from) ?? rootUri);
    const [resource = '', fragment = ''] = uri?.split('#') ?? [];
    const known = targets.get(uri ?? '') ?? targets.get(`${resource}#${fragment}`);
    if (known !== undefined && fragment !== '') return known;
    const base = targets.get(resource);
    if (base === undefined) {
      const problem = `the reference '${reference}' does not point into this schema, and remote schemas are not fetched`;
      throw createSchemaError(path, problem, param);
    }
    if (fragment === '') return base;
    if (!fragment.startsWith('/')) throw unresolvable(reference, path);
    return follow(base, fragment, path);
  };

  const unresolvable = (reference: string, path: string): Error =>
    createSchemaError(path, `the reference '${reference}' points to nothing`, param);

  const follow = (base: LocatedSchema, pointer: string, path: string): LocatedSchema => {
    let at: JsonValue | undefined = base.schema;
    let place = base.path;
    for (const segment of pointer.split('/').slice(1)) {
      const name = decodePointerSegment(segment);
      if (isArray(at)) at = /^\d+$/.test(name) ? at[Number(name)] : undefined;
      else at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
      place = joinPath(place, name);
    }
    if (!isSchema(at)) throw unresolvable(`#${pointer}`, path);
    return { schema: at, path: place };
  };
  return { resolve };
}

function joinUri(reference: string, base: string): string | undefined {
  return URL.canParse(reference, base) ? new URL(reference, base).href : undefined;
}

/** RFC 6901 within a URI fragment. A stray `%` stays what it is. */
function decodePointerSegment(segment: string): string {
  let text = segment;
  try {
    text = decodeURIComponent(segment);
  } catch (thrown) {
    if (!(thrown instanceof URIError)) throw thrown;
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** Whether any place in the schema changes what a pointer is relative to. */
function hasIdentifiers(root: JsonSchema): boolean {
  const todo: LocatedSchema[] = [{ schema: root, path: '' }];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    if (typeof at.schema !== 'boolean' && keywordOf(at.schema, '$id') !== undefined && at.path !== '')
      return true;
    todo.push(...subschemasOf(at));
  }
  return false;
}
