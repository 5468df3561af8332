/** What the object keywords of a shape say about one name. */
import { type CompileContext, type Conjunction, matchesWithinWork } from './compile-context.ts';
import type { LocatedSchema } from './located-schema.ts';
import type { Shape } from './shape.ts';

/** All schemas that apply to the member of that name. */
export function propertyConjunction(context: CompileContext, shape: Shape, name: string): Conjunction {
  return shape.objects.flatMap((group): readonly LocatedSchema[] => {
    const declared = group.properties.get(name);
    const matched = group.patterns.filter(({ source, path }) =>
      matchesWithinWork(context, path, { source, text: name }),
    );
    const found = [...(declared === undefined ? [] : [declared]), ...matched.map(({ value }) => value)];
    if (found.length > 0) return found;
    return group.additional === undefined ? [] : [group.additional];
  });
}
