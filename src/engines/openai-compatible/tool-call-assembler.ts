/**
 * Puts an upstream's tool call deltas in order. Servers disagree about nearly every field: indices are missing or
 * always 0, a whole call comes in one delta, ids are missing or repeated, a name comes late or with every delta,
 * arguments are empty or an object. What comes out has one start per call, in order, and never an empty argument text.
 */
import { ApiError } from '../../errors.ts';
import { parseJson } from '../../parse-json.ts';
import { asCount, asRecord, asText, type WireFunction, type WireToolCall } from './wire-chunk.ts';

export interface ToolCallSink {
  start(index: number, name: string): void;
  delta(index: number, argumentsText: string): void;
}

interface AssembledCall {
  readonly wireIndex: number | undefined;
  id: string | undefined;
  name: string | undefined;
  argumentsText: string;
}

export interface ToolCallAssembler {
  /** One entry of `delta.tool_calls`. */
  add(delta: unknown): void;
  /** Opens a call of which nothing more will be said by `add`. Returns its index. */
  open(name: string): number;
  extend(index: number, argumentsText: string): void;
  /**
   * Closes the last call, unless the answer was cut short inside it. Throws ApiError `upstream_failed` when a call
   * never got its name.
   */
  end(isCutShort: boolean): void;
  readonly callCount: number;
}

/** Calls after the first `callsMax` are read, and nobody sees them. */
export function createToolCallAssembler(
  sink: ToolCallSink,
  callsMax = Number.POSITIVE_INFINITY,
): ToolCallAssembler {
  const calls: AssembledCall[] = [];
  /** Calls below have been started and completed. */
  let shownCount = 0;

  function find(delta: WireToolCall, name: string | undefined): number {
    const wireIndex = asCount(delta.index);
    const id = asText(delta.id);
    const position =
      wireIndex === undefined
        ? calls.findLastIndex((call) => id === undefined || call.id === id)
        : calls.findLastIndex((call) => call.wireIndex === wireIndex);
    const call = calls[position];
    if (call !== undefined && !isOtherCall(call, id, name)) return position;
    calls.push({ wireIndex, id, name: undefined, argumentsText: '' });
    return calls.length - 1;
  }

  /** Shows what may be shown: a call starts when it has a name and all calls before it were shown. */
  function show(position: number, addedText: string): void {
    if (position < shownCount) {
      if (addedText !== '') sink.delta(position, addedText);
      return;
    }
    for (let next = calls[shownCount]; next?.name !== undefined; next = calls[shownCount]) {
      if (shownCount >= callsMax) return;
      const index = shownCount;
      closeCall(index - 1);
      shownCount += 1;
      sink.start(index, next.name);
      if (next.argumentsText !== '') sink.delta(index, next.argumentsText);
    }
  }

  /** An argument text that stayed empty means no arguments, which is `{}` to everybody who parses it. */
  function closeCall(position: number): void {
    const call = calls[position];
    if (call?.argumentsText !== '') return;
    call.argumentsText = '{}';
    sink.delta(position, '{}');
  }

  return {
    add(delta) {
      const wireCall = asRecord<WireToolCall>(delta);
      if (wireCall === undefined) return;
      const wireFunction = asRecord<WireFunction>(wireCall.function) ?? {};
      const name = asText(wireFunction.name);
      const position = find(wireCall, name);
      const call = calls[position];
      if (call === undefined) return;
      call.id ??= asText(wireCall.id);
      call.name ??= name;
      const addedText = readArguments(wireFunction.arguments);
      call.argumentsText += addedText;
      show(position, addedText);
    },
    open(name) {
      calls.push({ wireIndex: undefined, id: undefined, name, argumentsText: '' });
      show(calls.length - 1, '');
      return calls.length - 1;
    },
    extend(index, argumentsText) {
      const call = calls[index];
      if (call === undefined) return;
      call.argumentsText += argumentsText;
      show(index, argumentsText);
    },
    end(isCutShort) {
      // A budget that ended inside a call that nobody sees cut none short.
      if (isCutShort && calls.length <= callsMax) return;
      if (shownCount < Math.min(calls.length, callsMax)) {
        throw new ApiError('upstream_failed', { internal: 'the upstream sent a tool call without a name' });
      }
      closeCall(shownCount - 1);
    },
    get callCount() {
      return calls.length;
    },
  };
}

/** Whether a delta that points at `call` (by index, or by pointing at nothing) opens a further one. */
function isOtherCall(call: AssembledCall, id: string | undefined, name: string | undefined): boolean {
  if (id !== undefined && call.id !== undefined && id !== call.id) return true;
  if (name === undefined || call.name === undefined || id !== undefined) return false;
  // Servers that repeat the name do it while the arguments are open; a name after complete ones is a new call.
  return name !== call.name || isComplete(call.argumentsText);
}

function isComplete(argumentsText: string): boolean {
  return argumentsText.trimEnd().endsWith('}') && parseJson(argumentsText) !== undefined;
}

/** Arguments are text, but a few servers send the object itself. */
function readArguments(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : '';
}
