import { ApiError } from '../errors.ts';
import type { Page, PageOptions } from './context-cache.ts';

/**
 * One page of a whole list that is in its order already. `keyOf` is what `after` and `before` name. Throws ApiError
 * `invalid_request` for a name that is not in the list.
 */
export function cutPage<T>(items: readonly T[], keyOf: (item: T) => string, options: PageOptions): Page<T> {
  const find = (param: 'after' | 'before', key: string): number => {
    const position = items.findIndex((item) => keyOf(item) === key);
    if (position >= 0) return position;
    throw new ApiError('invalid_request', {
      message: `Query validation error: ${param}: \`${key.slice(0, 64)}\` is not in this list`,
      param,
    });
  };
  const start = options.after === undefined ? 0 : find('after', options.after) + 1;
  const end = options.before === undefined ? items.length : find('before', options.before);
  const rest = items.slice(start, Math.max(start, end));
  // Going back means the last page before the named one, not the first of all.
  const isBackwards = options.before !== undefined && options.after === undefined;
  const page = isBackwards ? rest.slice(-options.limit) : rest.slice(0, options.limit);
  return { items: page, hasMore: page.length < rest.length };
}
