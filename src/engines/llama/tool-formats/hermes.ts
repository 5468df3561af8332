/**
 * Tool calls as Hermes, Qwen and many others write them, and as any model can be told to:
 * `<tool_call>\n{"name": "NAME", "arguments": {…}}\n</tool_call>`, one block per call.
 */
import type { TokenLogprob } from '../../../chat/types.ts';
import type { GrammarSpec } from '../../../grammar/spec.ts';
import {
  type CallCounter,
  createCallCounter,
  type ParsedOutput,
  readReasoningMark,
  type ToolCallParser,
  textDelta,
} from '../tool-call-parser.ts';
import type { CallableTool, GrammarTrigger, ParserOptions, ToolFormat } from '../tool-format.ts';
import { createJsonValueEnd } from './json-value-end.ts';

const beginMark = '<tool_call>';
const endMark = '</tool_call>';

/** `areMarksSpecial`: the vocabulary has a token of its own for each mark, so the model does not spell them. */
export function createHermesFormat(options: { readonly areMarksSpecial: boolean }): ToolFormat {
  const mark = (text: string): GrammarTrigger =>
    options.areMarksSpecial ? { type: 'special', token: text } : { type: 'literal', text };
  return {
    name: 'hermes',
    describeCalls(tools, callsMax) {
      const call: GrammarSpec = {
        type: 'sequence',
        items: [
          { type: 'literal', text: '\n' },
          { type: 'choice', items: tools.map(describeCall) },
          { type: 'literal', text: '\n' },
          mark(endMark),
        ],
      };
      const next: GrammarSpec = {
        type: 'sequence',
        items: [{ type: 'literal', text: '\n' }, mark(beginMark), call],
      };
      return {
        trigger: mark(beginMark),
        reserved: options.areMarksSpecial ? [endMark] : [],
        rest:
          callsMax === 1
            ? call
            : {
                type: 'sequence',
                items: [call, { type: 'repeat', item: next, countMin: 0, countMax: callsMax - 1 }],
              },
      };
    },
    createParser: (parser) => createHermesParser(parser, !options.areMarksSpecial),
  };
}

function describeCall(tool: CallableTool): GrammarSpec {
  return {
    type: 'sequence',
    items: [
      { type: 'literal', text: `{"name": ${JSON.stringify(tool.name)}, "arguments": ` },
      { type: 'json-schema', schema: tool.schema },
      { type: 'literal', text: '}' },
    ],
  };
}

type Place = 'text' | 'reasoning' | 'call' | 'between-calls';

/** `areMarksSpelled` false: a mark in plain text is only text. */
function createHermesParser(options: ParserOptions, areMarksSpelled: boolean): ToolCallParser {
  const { areCallsExpected, isCallForced = false } = options;
  const calls = createCallCounter();
  const held = createHeldText();
  let place: Place = 'text';
  let body = createCallBody(calls);

  const beginCall = (): void => {
    place = 'call';
    body = createCallBody(calls);
  };
  const endCall = (): void => {
    calls.end();
    place = 'between-calls';
  };
  /** Reads as much as belongs to the current place; the rest is for the next one. */
  const step = (text: string): { readonly parsed: ParsedOutput[]; readonly rest: string } => {
    switch (place) {
      case 'text': {
        const { released, rest } = held.push(text);
        if (rest !== undefined) beginCall();
        return { parsed: released, rest: rest ?? '' };
      }
      case 'call': {
        const read = body.read(text);
        if (read.rest !== undefined) endCall();
        return { parsed: read.parsed, rest: read.rest ?? '' };
      }
      case 'between-calls': {
        const rest = text.trimStart();
        if (rest !== '') place = 'text';
        return { parsed: [], rest };
      }
      case 'reasoning':
        return { parsed: [], rest: '' };
      default:
        return place satisfies never;
    }
  };
  const readText = (text: string): ParsedOutput[] => {
    const parsed: ParsedOutput[] = [];
    for (let rest = text; rest !== ''; ) {
      const read = step(rest);
      parsed.push(...read.parsed);
      rest = read.rest;
    }
    return parsed;
  };
  const readSpecial = (token: string): ParsedOutput[] => {
    const parsed = held.flush();
    const reasoning = readReasoningMark(token);
    if (reasoning !== undefined) place = reasoning === 'begin' ? 'reasoning' : 'text';
    if (areCallsExpected && token === beginMark) beginCall();
    if (token === endMark && place === 'call' && body.hasArguments) endCall();
    return parsed;
  };

  return {
    push(piece) {
      if (piece.type === 'special') return readSpecial(piece.token);
      if (place === 'text') {
        if (!areCallsExpected || !areMarksSpelled) return textDelta(piece.text, piece.logprobs);
        held.addLogprobs(piece.logprobs);
      }
      return readText(piece.text);
    },
    // A budget can end within the mark of a call that had to come: half a mark is no answer.
    flush: () => (isCallForced ? [] : held.flush()),
    get completeCalls() {
      return calls.completeCalls;
    },
    get hasUnfinishedCall() {
      return place === 'call';
    },
  };
}

const headPattern = /^\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\S)/s;

/** What stands between the marks of one call. */
interface CallBody {
  /** `rest` = what follows the closing mark, once that was read as text. */
  read(text: string): { readonly parsed: ParsedOutput[]; readonly rest: string | undefined };
  /** The arguments were read to their end. */
  readonly hasArguments: boolean;
}

function createCallBody(calls: CallCounter): CallBody {
  const argumentsEnd = createJsonValueEnd();
  let part: 'head' | 'arguments' | 'tail' = 'head';
  /** Text of the head or the tail so far. */
  let seen = '';

  const readTail = (text: string): string | undefined => {
    seen += text;
    const mark = seen.indexOf(endMark);
    return mark < 0 ? undefined : seen.slice(mark + endMark.length);
  };
  const readArguments = (text: string): { parsed: ParsedOutput[]; rest: string | undefined } => {
    const length = argumentsEnd.find(text);
    if (length === undefined) return { parsed: calls.argumentsDelta(text), rest: undefined };
    part = 'tail';
    seen = '';
    return { parsed: calls.argumentsDelta(text.slice(0, length)), rest: readTail(text.slice(length)) };
  };
  return {
    get hasArguments() {
      return part === 'tail';
    },
    read(text) {
      if (part === 'tail') return { parsed: [], rest: readTail(text) };
      if (part === 'arguments') return readArguments(text);
      seen += text;
      const head = headPattern.exec(seen);
      if (head === null) return { parsed: [], rest: undefined };
      part = 'arguments';
      const start = calls.start(readName(head[1]));
      const { parsed, rest } = readArguments(seen.slice(head[0].length));
      return { parsed: [start, ...parsed], rest };
    },
  };
}

function readName(quoted: string | undefined): string {
  const name: unknown = JSON.parse(quoted ?? '""');
  return typeof name === 'string' ? name : '';
}

/** Text that may turn out to be the beginning of a mark, with the log probabilities that belong to it. */
function createHeldText() {
  let text = '';
  let logprobs: TokenLogprob[] | undefined;

  const take = (length: number): ParsedOutput[] => {
    const released = text.slice(0, length);
    text = text.slice(length);
    // Entries wait for the end of the piece they came with, so none goes out before its text.
    const due = text === '' ? logprobs : undefined;
    if (due !== undefined) logprobs = undefined;
    return textDelta(released, due);
  };
  return {
    addLogprobs(added: readonly TokenLogprob[] | undefined): void {
      if (added !== undefined) logprobs = [...(logprobs ?? []), ...added];
    },
    /** `rest` = what follows a whole mark, when there is one. */
    push(added: string): { released: ParsedOutput[]; rest: string | undefined } {
      text += added;
      const mark = text.indexOf(beginMark);
      if (mark >= 0) {
        const rest = text.slice(mark + beginMark.length);
        const before = text.slice(0, mark);
        text = '';
        logprobs = undefined;
        return { released: textDelta(before, undefined), rest };
      }
      let keep = Math.min(beginMark.length - 1, text.length);
      while (keep > 0 && !text.endsWith(beginMark.slice(0, keep))) keep--;
      return { released: take(text.length - keep), rest: undefined };
    },
    flush: () => take(text.length),
  };
}
