/** The query of the catalogue: which models, and which sections of each. */
import { z } from 'zod';

const list = (text: string) =>
  z.string().optional().describe(`${text} Several: separated by commas, or repeated.`);

export const modelSectionsSchema = z.object({
  include: list('Sections to add: `pricing`, `modalities`, `capabilities`, or `all`. Others are ignored.'),
  details: z.enum(['true', '1']).optional().describe('The same as `include=all`.'),
});

export const modelQuerySchema = modelSectionsSchema.extend({
  id: list('Only models with this id or alias.'),
  type: list('Only models of this endpoint type, such as `openai/chat-completions`.'),
  tags: list('Only models with this tag.'),
  modalities: list('Only models that read or write this modality.'),
  input_modalities: list('Only models that read this modality.'),
  output_modalities: list('Only models that write this modality.'),
  capabilities: list('Only models with this capability.'),
});

type Query = Readonly<Record<string, unknown>>;

export interface ModelSections {
  readonly pricing: boolean;
  readonly modalities: boolean;
  readonly capabilities: boolean;
}

export function decodeSections(query: Query): ModelSections {
  const details = wordsOf(query.details);
  const include = wordsOf(query.include);
  const hasAll = include.includes('all') || details.includes('true') || details.includes('1');
  const has = (section: string): boolean => hasAll || include.includes(section);
  return { pricing: has('pricing'), modalities: has('modalities'), capabilities: has('capabilities') };
}

/** What a filter can ask of a model. */
export interface FilterableModel {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly type: string;
  readonly tags: readonly string[];
  readonly modalities: { readonly input: readonly string[]; readonly output: readonly string[] };
  readonly capabilities: readonly string[];
}

/** Any of a parameter's values must fit, and every parameter; letter case does not matter. */
export function matchesFilter(model: FilterableModel, query: Query): boolean {
  const { input, output } = model.modalities;
  const facts: Readonly<Record<string, readonly string[]>> = {
    id: [model.id, ...model.aliases],
    type: [model.type],
    tags: model.tags,
    modalities: [...input, ...output],
    input_modalities: input,
    output_modalities: output,
    capabilities: model.capabilities,
  };
  return Object.entries(facts).every(([name, values]) => {
    const wanted = wordsOf(query[name]);
    return wanted.length === 0 || values.some((value) => wanted.includes(value.toLowerCase()));
  });
}

/** `a,B` or repeated, in lower case. */
function wordsOf(value: unknown): readonly string[] {
  return [value]
    .flat()
    .flatMap((each) => (typeof each === 'string' ? each.split(',') : []))
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
}
