/**
 * llama-server repeats a partial assistant message at the head of its answer; callers of partial mode expect the
 * continuation alone.
 */
import type { TextReader } from './text-reader.ts';

/** Takes `echo` off the head of the text, if it is there in full; passes everything else on to `next`. */
export function createEchoReader(echo: string, next: TextReader): TextReader {
  let held: string | undefined = '';

  const release = (): void => {
    if (held !== undefined && held !== '') next.feed(held);
    held = undefined;
  };

  return {
    feed(text) {
      if (held === undefined) {
        next.feed(text);
        return;
      }
      held += text;
      if (held.startsWith(echo)) held = held.slice(echo.length);
      else if (echo.startsWith(held)) return;
      release();
    },
    end() {
      release();
      next.end();
    },
  };
}
