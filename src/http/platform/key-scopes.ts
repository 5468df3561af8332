/** What a key may be restricted to, in our words and in the contract's. */
import { invalidField } from '../openai/describe-issue.ts';

const endpointScopes = ['chat', 'web_search', 'caching', 'files'] as const;

/**
 * The contract's categories of models. `model:chat` is our `chat`; the others are kept as they were given and open
 * nothing, because there are no such models here.
 */
export const modelCategories = [
  'model:chat',
  'model:responses',
  'model:image',
  'model:audio',
  'model:video',
  'model:embeddings',
  'model:speech',
  'model:ocr',
] as const;

export function isModelCategory(scope: string): boolean {
  return modelCategories.some((category) => category === scope);
}

/** Where a model's id is found by any of its names. */
export interface ModelNames {
  find(idOrAlias: string): { readonly id: string } | undefined;
}

/**
 * Checks scopes that a caller sets, with aliases of models resolved to their ids. Throws ApiError `invalid_request`:
 * a key with a misspelt scope would be refused everywhere, and nobody would know why.
 */
export function decodeScopes(scopes: readonly string[], models: ModelNames): readonly string[] {
  return scopes.map((scope, index) => {
    if (isModelCategory(scope) || endpointScopes.some((known) => known === scope)) return scope;
    const model = scope.startsWith('model:') ? models.find(scope.slice('model:'.length)) : undefined;
    if (model !== undefined) return `model:${model.id}`;
    throw invalidField(
      `scopes[${index}]`,
      `expected one of ${[...endpointScopes, ...modelCategories].join(', ')} or \`model:\` and a served model’s id, received \`${scope.slice(0, 64)}\``,
    );
  });
}
