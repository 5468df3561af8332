/** The catalogue on the wire: what OpenAI's clients read, what the platform adds, and what really answers. */
import { z } from 'zod';
import { toUsdNumber } from '../../billing/money.ts';
import type { ModelPrices } from '../../billing/price-book.ts';
import type { ServedModel } from '../../engines/registry.ts';
import type { FilterableModel, ModelSections } from './model-filter.ts';

/** What has a price, and for how many of it the price is quoted. */
const unitSizes = {
  input_tokens: 1_000_000,
  cached_input_tokens: 1_000_000,
  object_cached_input_tokens: 1_000_000,
  output_tokens: 1_000_000,
  cache_creation_tokens: 1_000_000,
  cache_storage_token_minutes: 1_000_000,
  web_searches: 1,
  cache_hits: 1,
} as const;

const priceUnits = Object.keys(unitSizes) as (keyof typeof unitSizes)[]; // The table's own keys; Object.keys widens them.

const priceUnitSchema = z.object({
  unit: z.enum(priceUnits).describe('What is counted.'),
  price: z.number().min(0).describe('US dollars.'),
  per: z.literal([1, 1_000_000]).describe('For so many of them.'),
});

export const modelSchema = z
  .object({
    id: z.string().describe('Canonical id of the model.'),
    object: z.literal('model').describe('Always model.'),
    created: z.int().describe('Unix time in seconds.'),
    owned_by: z.string().describe('Who the served name belongs to.'),
    aliases: z.array(z.string()).describe('Other names that the model can be requested under.'),
    type: z.literal('openai/chat-completions').describe('Endpoint type this model is served through.'),
    info: z.object({
      name: z.string().describe('Name of the model.'),
      developer: z.string().describe('Who developed it.'),
      description: z.string().describe('What answers behind the name.'),
      contextLength: z.int().describe('Context window in tokens.'),
      outputMax: z.int().describe('Upper bound of one answer in tokens: the window, less the prompt.'),
    }),
    tags: z.array(z.string()).describe('Free-form tags.'),
    context_length: z.int().describe('Context window in tokens: prompt and output together.'),
    backing: z
      .object({
        engine: z.string().describe('Kind of engine.'),
        weights: z.string().describe('Name of the weights.'),
        size_bytes: z.int().nullable().describe('Size of the weights; null = not known here.'),
        licence: z.string().nullable().describe('Licence of the weights; null = not known here.'),
        context_tokens: z.int().describe('The served window in tokens.'),
        digest: z.string().describe('First digits of the weights’ SHA-256.'),
        schema_enforced: z
          .boolean()
          .describe('True: JSON is constrained while it is decoded. False: it is checked and repaired.'),
      })
      .describe('What really answers behind the served name.'),
    modalities: z
      .object({ input: z.array(z.string()), output: z.array(z.string()) })
      .optional()
      .describe('With `include=modalities` or `all`.'),
    capabilities: z.array(z.string()).optional().describe('With `include=capabilities` or `all`.'),
    pricing: z
      .object({
        kind: z.literal('fixed').describe('One rate per unit.'),
        currency: z.literal('USD').describe('Always USD.'),
        units: z.array(priceUnitSchema).describe('Always read `price` together with `per`.'),
      })
      .optional()
      .describe('With `include=pricing` or `all`.'),
  })
  .meta({ id: 'Model' });

export const modelListSchema = z.object({
  object: z.literal('list').describe('Always list.'),
  data: z.array(modelSchema),
});

/** The facts that filters and optional sections are made of. */
export function describeModel(model: ServedModel): FilterableModel {
  const aliases = new Set([model.wireName, ...model.aliases]);
  aliases.delete(model.id);
  return {
    id: model.id,
    aliases: [...aliases],
    type: 'openai/chat-completions',
    tags: [],
    modalities: { input: ['text'], output: ['text'] },
    capabilities: ['streaming', 'structured_output', 'tools'],
  };
}

/** `prices` are asked for only when the section is wanted. */
export async function encodeModel(
  model: ServedModel,
  sections: ModelSections,
  findPrices: (modelId: string) => Promise<ModelPrices>,
): Promise<z.input<typeof modelSchema>> {
  const backing = model.engine.backing();
  const facts = describeModel(model);
  const slash = model.id.indexOf('/');
  const owner = slash === -1 ? 'perigee' : model.id.slice(0, slash);
  return {
    id: model.id,
    object: 'model',
    created: model.created,
    owned_by: owner,
    aliases: [...facts.aliases],
    type: 'openai/chat-completions',
    info: {
      name: model.wireName,
      developer: owner,
      description: `Text in, text out. Answered by ${backing.weights}.`,
      contextLength: backing.contextTokens,
      outputMax: backing.contextTokens,
    },
    tags: [...facts.tags],
    context_length: backing.contextTokens,
    backing: {
      engine: model.engine.kind,
      weights: backing.weights,
      size_bytes: backing.sizeBytes ?? null,
      licence: backing.licence ?? null,
      context_tokens: backing.contextTokens,
      digest: backing.digest,
      schema_enforced: backing.isSchemaEnforced,
    },
    ...(sections.modalities && {
      modalities: { input: [...facts.modalities.input], output: [...facts.modalities.output] },
    }),
    ...(sections.capabilities && { capabilities: [...facts.capabilities] }),
    ...(sections.pricing && { pricing: encodePricing(await findPrices(model.id)) }),
  };
}

function encodePricing(prices: ModelPrices): z.input<typeof modelSchema>['pricing'] {
  const pricesByUnit: Readonly<Record<keyof typeof unitSizes, bigint>> = {
    input_tokens: prices.inputNanoUsd,
    cached_input_tokens: prices.cachedInputNanoUsd,
    object_cached_input_tokens: prices.objectCachedInputNanoUsd,
    output_tokens: prices.outputNanoUsd,
    cache_creation_tokens: prices.cacheCreationNanoUsd,
    cache_storage_token_minutes: prices.cacheStorageNanoUsd,
    web_searches: prices.webSearchNanoUsd,
    cache_hits: prices.cacheHitNanoUsd,
  };
  return {
    kind: 'fixed',
    currency: 'USD',
    units: priceUnits.map((unit) => ({
      unit,
      price: toUsdNumber(pricesByUnit[unit]),
      per: unitSizes[unit],
    })),
  };
}
