/** Proves that no value satisfies two shapes, where that is easy: enough for the unions that people write. */
import { type CompileContext, type Conjunction, spendWork } from './compile-context.ts';
import { expandConjunction } from './expand-schema.ts';
import { matchesShape } from './matches-shape.ts';
import { propertyConjunction } from './object-groups.ts';
import { canonicalText, numberBits, type Shape, typeBits } from './shape.ts';

const depthMax = 3;

/** Whether no value satisfies two of the branches, each a list of alternatives. False = not proven. */
export function arePairwiseDisjoint(
  context: CompileContext,
  branches: readonly (readonly Shape[])[],
): boolean {
  if (haveDiscriminator(context, branches)) return true;
  if (branches.length > comparedBranchesMax) return false;
  return branches.every((branch, i) =>
    branches
      .slice(i + 1)
      .every((other) =>
        branch.every((shape) => other.every((against) => areDisjoint(context, shape, against))),
      ),
  );
}

/** More branches than this are compared only by a discriminator. */
const comparedBranchesMax = 60;

/** All branches are objects that require the same member, with different listed values. */
function haveDiscriminator(context: CompileContext, branches: readonly (readonly Shape[])[]): boolean {
  const shapes = branches.flat();
  if (!shapes.every(({ types, values }) => types === typeBits.object && values === null)) return false;
  return (shapes[0]?.required ?? []).some((name) => {
    const seen = new Set<string>();
    return branches.every((branch) => {
      const texts = branch.flatMap((shape) => listMember(context, shape, name) ?? ['']);
      const isNew = texts.every((text) => text !== '' && !seen.has(text));
      for (const text of texts) seen.add(text);
      return isNew;
    });
  });
}

/** The texts of all values that a required member may have; undefined = they cannot be listed. */
function listMember(context: CompileContext, shape: Shape, name: string): readonly string[] | undefined {
  if (!shape.required.includes(name)) return undefined;
  const found: string[] = [];
  for (const member of expandConjunction(context, propertyConjunction(context, shape, name))) {
    if (member.values === null) return undefined;
    found.push(...member.values.map(canonicalText));
  }
  return found;
}

/** True = certainly disjoint; false = not proven. */
export function areDisjoint(context: CompileContext, a: Shape, b: Shape, depth = 0): boolean {
  spendWork(context, a.path);
  const common = a.types & b.types;
  if (common === 0) return true;
  if (a.values !== null) return a.values.every((value) => !matchesShape(context, b, value));
  if (b.values !== null) return b.values.every((value) => !matchesShape(context, a, value));
  if ((common & numberBits) !== 0 && !areNumbersDisjoint(a, b)) return false;
  if ((common & typeBits.string) !== 0 && !areApart(a.lengthMin, a.lengthMax, b.lengthMin, b.lengthMax))
    return false;
  if ((common & typeBits.array) !== 0 && !areApart(a.itemsMin, a.itemsMax, b.itemsMin, b.itemsMax))
    return false;
  if ((common & typeBits.object) !== 0 && !areObjectsDisjoint(context, a, b, depth)) return false;
  return (common & (typeBits.null | typeBits.boolean)) === 0;
}

const areApart = (minA: number, maxA: number, minB: number, maxB: number): boolean =>
  maxA < minB || maxB < minA;

function areNumbersDisjoint({ numbers: a }: Shape, { numbers: b }: Shape): boolean {
  if (areApart(a.minimum, a.maximum, b.minimum, b.maximum)) return true;
  if (a.maximum === b.minimum && (a.isMaximumExclusive || b.isMinimumExclusive)) return true;
  return b.maximum === a.minimum && (b.isMaximumExclusive || a.isMinimumExclusive);
}

/** A member that one of them requires and that cannot be the same in both, such as a discriminator. */
function areObjectsDisjoint(context: CompileContext, a: Shape, b: Shape, depth: number): boolean {
  if (areApart(a.propertiesMin, a.propertiesMax, b.propertiesMin, b.propertiesMax)) return true;
  if (depth >= depthMax) return false;
  return [...new Set([...a.required, ...b.required])].some((name) => {
    const ofA = propertyConjunction(context, a, name);
    const ofB = propertyConjunction(context, b, name);
    const isInBoth = a.required.includes(name) && b.required.includes(name);
    if (!isInBoth) return isNever(context, a.required.includes(name) ? ofB : ofA);
    const shapesA = expandConjunction(context, ofA);
    const shapesB = expandConjunction(context, ofB);
    return shapesA.every((x) => shapesB.every((y) => areDisjoint(context, x, y, depth + 1)));
  });
}

const isNever = (context: CompileContext, conjunction: Conjunction): boolean =>
  expandConjunction(context, conjunction).length === 0;
