/** Turns what zod found into one error in Moonshot's words: where, what was expected, what was received. */
import type { z } from 'zod';
import { ApiError } from '../../errors.ts';

type Issue = z.core.$ZodIssue;

/** The first problem as ApiError `invalid_request`, with `param` such as `messages[2].content`. */
export function describeIssues(issues: readonly Issue[]): ApiError {
  const { param, text } = locateIssue(issues);
  return invalidField(param, text);
}

/** Where the first problem is (`messages[2].content`, empty for the whole) and what it is. */
export function locateIssue(issues: readonly Issue[]): { readonly param: string; readonly text: string } {
  const issue = issues[0];
  if (issue === undefined) return { param: '', text: 'is not valid' };
  const { path, text } = describeIssue(issue, []);
  return { param: formatPath(path), text };
}

/** An `invalid_request` about one field. `param` is empty for the body itself. */
export function invalidField(param: string, text: string): ApiError {
  if (param === '') return new ApiError('invalid_request', { message: `Invalid request: the body: ${text}` });
  return new ApiError('invalid_request', { message: `Invalid request: ${param}: ${text}`, param });
}

/** `['messages', 2, 'content']` → `messages[2].content`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((step, position) =>
      typeof step === 'number' ? `[${step}]` : position === 0 ? String(step) : `.${String(step)}`,
    )
    .join('');
}

interface Described {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

function describeIssue(issue: Issue, parent: readonly PropertyKey[]): Described {
  const path = [...parent, ...issue.path];
  switch (issue.code) {
    case 'invalid_union':
      return describeUnion(issue, path);
    case 'invalid_type':
      return { path, text: describeType(issue.expected, issue.input) };
    case 'invalid_value':
      return { path, text: describeValue(issue.values, issue.input, path) };
    case 'too_small':
      return { path, text: describeBound('at least', issue.origin, issue.minimum) };
    case 'too_big':
      return { path, text: describeBound('at most', issue.origin, issue.maximum) };
    case 'invalid_format':
      return { path, text: issue.format === 'regex' ? `must match ${issue.pattern}` : issue.message };
    default:
      return { path, text: issue.message };
  }
}

/** Of a union's branches the one that fits best is described: the one whose first problem lies deepest. */
function describeUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PropertyKey[],
): Described {
  if (issue.errors.length === 0) return describeDiscriminator(issue, path);
  const firsts = issue.errors.flatMap((branch) => (branch[0] === undefined ? [] : [branch[0]]));
  const wrongTypes = firsts.filter((first) => first.code === 'invalid_type' && first.path.length === 0);
  const others = firsts.filter((first) => !wrongTypes.includes(first));
  const deepest = others.toSorted((a, b) => b.path.length - a.path.length)[0];
  if (deepest?.code === 'invalid_value' && deepest.path.length === 0) {
    return { path, text: describeValue(deepest.values, issue.input, path, wrongTypes.map(wantedType)) };
  }
  if (deepest !== undefined) return describeIssue(deepest, path);
  const expected = wrongTypes.map(wantedType).join(' or ');
  return { path, text: describeType(expected, issue.input) };
}

const wantedType = (issue: Issue): string =>
  issue.code === 'invalid_type' ? nameWanted(issue.expected) : '';

/** A union of objects that is chosen by one field, such as `role`. */
function describeDiscriminator(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PropertyKey[],
): Described {
  const field = issue.discriminator ?? '';
  const holder = issue.input;
  const received = isRecord(holder) ? holder[field] : undefined;
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
  return { path, text: describeValue(options, received, path) };
}

function describeValue(
  values: readonly unknown[],
  received: unknown,
  path: readonly PropertyKey[],
  otherTypes: readonly string[] = [],
): string {
  if (typeof received === 'string' && path.at(-1) === 'type' && path.at(-3) === 'content') {
    return `content parts of type ${quote(received)} are not accepted; this model reads text only`;
  }
  const expected = values.map((value) => quote(String(value))).join(', ');
  const named = values.length === 1 ? `expected ${expected}` : `expected one of ${expected}`;
  const choice = [named, ...otherTypes].join(' or ');
  if (received === undefined) return `is required, ${choice}`;
  return `${choice}, received ${typeof received === 'string' ? quote(received) : nameType(received)}`;
}

/** Where zod's names of types are not JSON's. */
const jsonTypeNames: Readonly<Record<string, string>> = { int: 'integer', record: 'object' };

const nameWanted = (expected: string): string => jsonTypeNames[expected] ?? expected;

function describeType(expected: string, received: unknown): string {
  const wanted = nameWanted(expected);
  if (received === undefined) return `is required, expected ${wanted}`;
  const isFraction = wanted === 'integer' && typeof received === 'number';
  return `expected ${wanted}, received ${isFraction ? String(received) : nameType(received)}`;
}

function describeBound(relation: 'at least' | 'at most', origin: string, bound: number | bigint): string {
  if (origin === 'array') {
    return relation === 'at least' && bound === 1
      ? 'must not be empty'
      : `must have ${relation} ${bound} items`;
  }
  if (origin === 'string') {
    return relation === 'at least' && bound === 1
      ? 'must not be empty'
      : `must have ${relation} ${bound} characters`;
  }
  return `must be ${relation} ${bound}`;
}

function nameType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** Callers' own words are repeated in part only: they may be megabytes. */
function quote(text: string): string {
  return `\`${text.length > 64 ? `${text.slice(0, 64)}…` : text}\``;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
