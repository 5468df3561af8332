/**
 * A model file that cannot be had or trusted. The message says what was tried, what failed and what to do; callers of
 * the API can read it, so it names files but no folders.
 */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}
