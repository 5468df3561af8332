/**
 * Which engine stands behind which served name. The names come from the configuration; this file neither
 * creates engines nor closes them.
 */
import { ApiError } from '../errors.ts';
import type { Engine } from './engine.ts';

/** A name that callers may ask for, and the engine that answers under it. */
export interface ServedModel {
  /** The canonical id, e.g. `moonshot/kimi-k2-turbo-preview`. */
  readonly id: string;
  /** The name that answers carry in `model`, e.g. `kimi-k2-turbo-preview`. */
  readonly wireName: string;
  /** Further names that callers may send. The wire name is always accepted, listed or not. */
  readonly aliases: readonly string[];
  readonly engine: Engine;
  /** Unix seconds, shown by `GET /v1/models`. */
  readonly created: number;
}

export interface ModelDirectory {
  /** In the order of the configuration; the first is the default of the command line. */
  list(): readonly ServedModel[];
  /** By canonical id, wire name or alias; case-sensitive. */
  find(idOrAlias: string): ServedModel | undefined;
}

/** Throws an Error that names both models when two of them claim the same name. */
export function createModelDirectory(models: readonly ServedModel[]): ModelDirectory {
  const byName = new Map<string, ServedModel>();
  for (const model of models) {
    for (const name of new Set([model.id, model.wireName, ...model.aliases])) {
      const other = byName.get(name);
      if (other !== undefined) {
        throw new Error(`The models \`${other.id}\` and \`${model.id}\` are both served as \`${name}\`.`);
      }
      byName.set(name, model);
    }
  }
  return { list: () => models, find: (idOrAlias) => byName.get(idOrAlias) };
}

/** Throws ApiError `model_not_found`, in Moonshot's words. */
export function requireModel(models: ModelDirectory, id: string): ServedModel {
  const model = models.find(id);
  if (model !== undefined) return model;
  throw new ApiError('model_not_found', {
    message: `Not found the model ${id} or Permission denied`,
    param: 'model',
  });
}
