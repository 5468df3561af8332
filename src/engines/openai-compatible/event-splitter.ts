import { ApiError } from '../../errors.ts';

/**
 * Cuts a text/event-stream into events, after the WHATWG's "Server-sent events": `data` lines are joined, comments,
 * ids and retry times mean nothing here. Own code because it is run for every token: `eventsource-parser` took
 * about as long for an event as everything else together.
 */
export interface EventSplitter {
  /** Text as it comes, cut anywhere. Throws what `onEvent` throws, and ApiError `upstream_failed`. */
  feed(text: string): void;
}

export interface EventSplitterOptions {
  /** Longest event in UTF-16 units. */
  readonly lengthMax: number;
  /** `name` is empty for ordinary events. */
  onEvent(name: string, data: string): void;
}

const byteOrderMark = '\ufeff';

export function createEventSplitter({ lengthMax, onEvent }: EventSplitterOptions): EventSplitter {
  let rest = '';
  let name = '';
  let data: string | undefined;
  let isBegun = false;
  /** The text so far ended with a carriage return, whose line feed may still come. */
  let isHalfBreak = false;

  /** One kind of line break; only a text that has another one pays for it. */
  const unifyBreaks = (text: string): string => {
    const begun = isHalfBreak && text.startsWith('\n') ? text.slice(1) : text;
    if (text !== '') isHalfBreak = text.endsWith('\r');
    return begun.includes('\r') ? begun.replaceAll(/\r\n?/g, '\n') : begun;
  };
  const takeField = (line: string): void => {
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    else if (field === 'event') name = value;
  };
  const dispatch = (): void => {
    const finishedName = name;
    const finishedData = data;
    name = '';
    data = undefined;
    if (finishedData !== undefined) onEvent(finishedName, finishedData);
  };

  return {
    feed(text) {
      rest += unifyBreaks(text);
      if (!isBegun && rest !== '') {
        isBegun = true;
        if (rest.startsWith(byteOrderMark)) rest = rest.slice(1);
      }
      let position = 0;
      for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n', position)) {
        if (end === position) dispatch();
        else takeField(rest.slice(position, end));
        position = end + 1;
      }
      rest = rest.slice(position);
      if (rest.length + (data?.length ?? 0) > lengthMax) {
        throw new ApiError('upstream_failed', { internal: 'the upstream sent an endless event' });
      }
    },
  };
}
