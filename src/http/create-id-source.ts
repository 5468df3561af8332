import { randomFillSync } from 'node:crypto';

const randomBytesPerId = 8;

/**
 * Ids of 24 hex digits: the second they were made in (so they sort by age), then 64 random bits (so replicas
 * need not agree). Random bytes are drawn in blocks, because one system call per request would be felt.
 */
export function createIdSource(clock: { now(): number }): { next(): string } {
  const pool = Buffer.allocUnsafe(512 * randomBytesPerId);
  let position = pool.length;
  return {
    next() {
      if (position === pool.length) {
        randomFillSync(pool);
        position = 0;
      }
      const random = pool.toString('hex', position, position + randomBytesPerId);
      position += randomBytesPerId;
      const seconds = Math.floor(clock.now() / 1000) % 0x1_0000_0000;
      return seconds.toString(16).padStart(8, '0') + random;
    },
  };
}
