import type { IncomingMessage } from 'node:http';

export interface BodyBounds {
  /** The time in which at least one more byte must come. */
  readonly idleMs: number;
  readonly bytesMax: number;
  /** What to throw then. */
  stalled(): Error;
  tooLarge(): Error;
}

export interface WatchedBody {
  /** Rejects as soon as a bound is broken; resolves never. */
  readonly broken: Promise<never>;
  /** Ends the watch. */
  end(): void;
}

/**
 * Watches over a body that somebody else reads. A whole large file may take as long as a slow line needs, so only
 * its silence is bounded, and what a sender without a declared length may send.
 */
export function watchBody(raw: IncomingMessage, bounds: BodyBounds): WatchedBody {
  const { promise: broken, reject } = Promise.withResolvers<never>();
  // Whoever has read everything asks no more.
  broken.catch(() => undefined);
  let sizeBytes = 0;
  const silence = setTimeout(() => reject(bounds.stalled()), bounds.idleMs);
  const count = (chunk: Buffer): void => {
    sizeBytes += chunk.length;
    silence.refresh();
    if (sizeBytes > bounds.bytesMax) reject(bounds.tooLarge());
  };
  raw.on('data', count);
  return {
    broken,
    end() {
      clearTimeout(silence);
      raw.off('data', count);
    },
  };
}
