/** Variables of the environment that were meant as settings and are none: a misspelt one would change nothing in silence. */
import { environmentNameOf, listSettings } from './settings.ts';

export interface UnknownVariable {
  readonly name: string;
  /** The setting that was probably meant; undefined when none is near. */
  readonly nearest: string | undefined;
}

const prefix = 'PERIGEE_';
/** Of the letters of a name, those that may be wrong, missing or too many; two always may: they changed places. */
const misspeltShare = 0.4;
const misspeltMin = 2;

/** `used`: names that the configuration itself gives a meaning, such as an engine's `api_key_env`. */
export function findUnknownVariables(
  environment: Readonly<Record<string, string | undefined>>,
  used: readonly string[],
): readonly UnknownVariable[] {
  const names = listSettings().map(({ name }) => environmentNameOf(name));
  const aliases = listSettings().flatMap(({ setting }) => setting.environmentAliases ?? []);
  const known = new Set([...names, ...aliases, ...used]);
  return Object.entries(environment)
    .filter(([name, value]) => name.startsWith(prefix) && value !== '' && !known.has(name))
    .map(([name]) => ({ name, nearest: findNearest(name, names) }));
}

function findNearest(name: string, candidates: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let distanceMax = Math.max(misspeltMin, Math.floor((name.length - prefix.length) * misspeltShare));
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    if (distance > distanceMax) continue;
    nearest = candidate;
    distanceMax = distance - 1;
  }
  return nearest;
}

/** Letters that must be put in, taken out or replaced (Levenshtein), row by row of the usual table. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [line, letter] of Array.from(from).entries()) {
    const next = [line + 1];
    for (const [column, above] of row.slice(1).entries()) {
      const diagonal = (row[column] ?? 0) + (letter === to[column] ? 0 : 1);
      next.push(Math.min(above + 1, (next[column] ?? 0) + 1, diagonal));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
