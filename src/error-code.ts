/** The code that Node.js, the operating system or a driver has put on an error: `ENOENT`. Undefined when there is none. */
export function errorCodeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined;
}
