/**
 * Kimi K2's tool calls, written with special tokens:
 * `<|tool_calls_section_begin|><|tool_call_begin|>functions.NAME:IDX<|tool_call_argument_begin|>{…}<|tool_call_end|>…<|tool_calls_section_end|>`
 */
import type { GrammarSpec } from '../../../grammar/spec.ts';
import type { OutputPiece } from '../protocol.ts';
import {
  createCallCounter,
  type ParsedOutput,
  readReasoningMark,
  type ToolCallParser,
  textDelta,
} from '../tool-call-parser.ts';
import type { CallableTool, GrammarTrigger, ToolFormat } from '../tool-format.ts';

const marks = {
  sectionBegin: '<|tool_calls_section_begin|>',
  sectionEnd: '<|tool_calls_section_end|>',
  callBegin: '<|tool_call_begin|>',
  argumentBegin: '<|tool_call_argument_begin|>',
  callEnd: '<|tool_call_end|>',
} as const;

const special = (token: string): GrammarTrigger => ({ type: 'special', token });

export function createKimiK2Format(): ToolFormat {
  return {
    name: 'kimi-k2',
    describeCalls(tools, callsMax) {
      const call: GrammarSpec = { type: 'choice', items: tools.map(describeCall) };
      return {
        trigger: special(marks.sectionBegin),
        reserved: [marks.callBegin, marks.argumentBegin, marks.callEnd, marks.sectionEnd],
        rest: {
          type: 'sequence',
          items: [{ type: 'repeat', item: call, countMin: 1, countMax: callsMax }, special(marks.sectionEnd)],
        },
      };
    },
    createParser: ({ areCallsExpected }) => createKimiK2Parser(areCallsExpected),
  };
}

function describeCall(tool: CallableTool): GrammarSpec {
  return {
    type: 'sequence',
    items: [
      special(marks.callBegin),
      { type: 'literal', text: `functions.${tool.name}:` },
      // The model counts over the conversation; what it writes is not used, ids are assigned by the chat core.
      { type: 'counter' },
      special(marks.argumentBegin),
      { type: 'json-schema', schema: tool.schema },
      special(marks.callEnd),
    ],
  };
}

type Place = 'text' | 'reasoning' | 'section' | 'id' | 'arguments';

function createKimiK2Parser(areCallsExpected: boolean): ToolCallParser {
  const calls = createCallCounter();
  let place: Place = 'text';
  let id = '';

  const readText = (piece: Extract<OutputPiece, { type: 'text' }>): ParsedOutput[] => {
    switch (place) {
      case 'text':
        return textDelta(piece.text, piece.logprobs);
      case 'id':
        id += piece.text;
        return [];
      case 'arguments':
        return calls.argumentsDelta(piece.text);
      case 'section':
      case 'reasoning':
        return [];
      default:
        return place satisfies never;
    }
  };
  const readMark = (token: string): ParsedOutput[] => {
    const reasoning = readReasoningMark(token);
    if (reasoning !== undefined) place = reasoning === 'begin' ? 'reasoning' : 'text';
    if (!areCallsExpected) return [];
    if (token === marks.sectionBegin) place = 'section';
    if (token === marks.sectionEnd) place = 'text';
    if (token === marks.callBegin) {
      place = 'id';
      id = '';
    }
    if (token === marks.callEnd && place === 'arguments') {
      calls.end();
      place = 'section';
    }
    if (token !== marks.argumentBegin || place !== 'id') return [];
    place = 'arguments';
    return [calls.start(readToolName(id))];
  };

  return {
    push: (piece) => (piece.type === 'text' ? readText(piece) : readMark(piece.token)),
    flush: () => [],
    get completeCalls() {
      return calls.completeCalls;
    },
    get hasUnfinishedCall() {
      return calls.isOpen || place === 'id' || (place === 'section' && calls.completeCalls === 0);
    },
  };
}

/** `functions.NAME:IDX`; models also write `NAME:IDX` or `NAME` after a history with such ids. */
function readToolName(id: string): string {
  return id
    .trim()
    .replace(/^functions\./, '')
    .replace(/:\d*$/, '');
}
