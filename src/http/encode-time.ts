/** Milliseconds since 1970 as every answer writes a time: ISO 8601, UTC. What never happened stays null. */
export function encodeTime(milliseconds: number): string;
export function encodeTime(milliseconds: number | null): string | null;
export function encodeTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
