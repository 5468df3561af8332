/** A model file that cannot be had or trusted. The message says what was tried, what failed and what to do. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}
