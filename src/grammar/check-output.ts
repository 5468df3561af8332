/**
 * Judges a finished JSON text by its schema with ajv, independently of the grammar: the last gate before an answer
 * leaves, and the only one for keywords that have no grammar.
 */
import type { Options, ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { LRUCache } from 'lru-cache';
import type { JsonSchema } from '../chat/types.ts';
import { parseJson } from '../parse-json.ts';
import { checkSchema } from './schema/check-schema.ts';
import { createSchemaError } from './schema/located-schema.ts';
import { matchesPattern } from './schema/match-pattern.ts';
import { upgradeSchema } from './schema/upgrade-schema.ts';

export type OutputVerdict =
  | { readonly isValid: true }
  /** `reason` says what is wrong and where, in words that may be shown. */
  | { readonly isValid: false; readonly reason: string };

/** Compiled validators, by the text of the schema: the same tools come with every turn. */
const validators = new LRUCache<string, ValidateFunction>({ max: 200 });

/** Patterns run in bounded time. ajv calls only `test`, and tells patterns apart by `toString`. */
const matchSafely = (source: string): RegExp =>
  ({ test: (text: string) => matchesPattern(source, text), toString: () => `/${source}/u` }) as RegExp;

const ajvOptions: Options = {
  strict: false,
  // Our own check came first; ajv's would fetch nothing but costs more and words its errors for programmers.
  validateSchema: false,
  logger: false,
  // Without it, members named like `constructor` or `toString` would be taken as present.
  ownProperties: true,
  validateFormats: false,
  code: {
    regExp: Object.assign(matchSafely, { code: 'matchSafely' }),
    // Its rewriting takes longer than all the rest and holds up the server; a validator runs only a few times.
    optimize: false,
  },
};

/** @throws ApiError `invalid_schema` when the schema is malformed or cannot be resolved. */
export function createOutputCheck(schema: JsonSchema): (text: string) => OutputVerdict {
  checkSchema(schema, undefined);
  const key = JSON.stringify(schema);
  let validate = validators.get(key);
  if (validate === undefined) {
    validate = compileValidator(schema);
    validators.set(key, validate);
  }
  const known = validate;
  return (text) => judge(known, text);
}

function compileValidator(schema: JsonSchema): ValidateFunction {
  const { schema: upgraded, hasOldTuples } = upgradeSchema(schema);
  const shaped = typeof upgraded === 'boolean' ? upgraded : { ...upgraded };
  try {
    return createAjv(hasOldTuples, {}).compile(shaped);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw uncompilable(thrown);
  }
  try {
    // Without early exits ajv nests its code less: thousands of properties exhaust the stack otherwise.
    return createAjv(hasOldTuples, { allErrors: true }).compile(shaped);
  } catch (thrown) {
    throw uncompilable(thrown);
  }
}

/** A fresh instance each time: schemas of different callers may use the same `$id`. */
function createAjv(hasOldTuples: boolean, options: Options): Ajv2019 | Ajv2020 {
  const all = { ...ajvOptions, ...options };
  return hasOldTuples ? new Ajv2019(all) : new Ajv2020(all);
}

function uncompilable(thrown: unknown): Error {
  const problem = thrown instanceof Error ? thrown.message : 'it cannot be compiled';
  // ajv writes names into addresses, where they must be Unicode text.
  if (thrown instanceof URIError) {
    return createSchemaError(
      '',
      'a name in it is no Unicode text: it has half of a surrogate pair',
      undefined,
    );
  }
  return createSchemaError('', problem, undefined);
}

function judge(validate: ValidateFunction, text: string): OutputVerdict {
  const value = parseJson(text);
  if (value === undefined) return { isValid: false, reason: 'not a JSON text' };
  try {
    if (validate(value)) return { isValid: true };
  } catch (thrown) {
    // A schema that recurs without end on a value exhausts the stack; anything else is a defect.
    if (thrown instanceof RangeError) return { isValid: false, reason: 'the schema recurs without end' };
    throw thrown;
  }
  const [first] = validate.errors ?? [];
  const place = first?.instancePath === '' ? 'the value' : first?.instancePath;
  return { isValid: false, reason: `${place} ${first?.message ?? 'does not satisfy the schema'}` };
}
