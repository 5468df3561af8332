/**
 * Chat events → the frames of an OpenAI stream. A frame is put together from strings that are made once per
 * answer, because this runs once per token of every stream (0.3 µs; the write that follows costs ten times that).
 */
import type { Charge } from '../../billing/meter.ts';
import type { ChatEvent, TokenLogprob, Usage } from '../../chat/types.ts';
import type { CompletionIdentity } from './completion-identity.ts';
import { encodeAnnotations } from './encode-annotations.ts';
import { encodeLogprobs } from './encode-logprobs.ts';
import { encodeCost, encodeUsage } from './encode-usage.ts';

export type DeltaEvent = Extract<ChatEvent, { type: 'text-delta' | 'tool-call-start' | 'tool-call-delta' }>;
export type ChoiceFinish = Extract<ChatEvent, { type: 'choice-finish' }>;

export const doneFrame = 'data: [DONE]\n\n';

export interface ChunkEncoder {
  /** The frames of one delta: its choice's first one begins with the frame that carries the role. */
  encodeDelta(event: DeltaEvent): string;
  /** Keeps a choice's end for `encodeFinish`: it may not leave before the turn is settled. */
  holdFinish(event: ChoiceFinish): void;
  /** All that remains, up to `[DONE]`: every choice's last chunk, the usage, the cost. Safe to call again. */
  encodeFinish(usage: Usage, charge: Charge): string;
}

export function createChunkEncoder(identity: CompletionIdentity, includesUsage: boolean): ChunkEncoder {
  const { id, created, model, systemFingerprint } = identity;
  const chunk = {
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    system_fingerprint: systemFingerprint,
  };
  // One text, not a tree of a dozen: it lives as long as the answer.
  const head = `data: ${JSON.stringify(chunk).slice(0, -1)},"choices":[`;
  // With `include_usage` every other chunk says `usage: null` (protocol sheet 1.3).
  const nullUsage = includesUsage ? ',"usage":null' : '';
  const deltaTail = `,"finish_reason":null}]${nullUsage}}\n\n`;
  const deltaHeads: string[] = [];
  const finishes: ChoiceFinish[] = [];

  /** Everything before the delta's own JSON; undefined = the choice has sent nothing yet. */
  const headOf = (choice: number): string => `${head}{"index":${choice},"delta":`;
  const encodeRole = (choice: number): string =>
    `${headOf(choice)}{"role":"assistant","content":""}${deltaTail}`;

  return {
    encodeDelta(event) {
      const deltaHead = deltaHeads[event.choice];
      if (deltaHead === undefined) {
        deltaHeads[event.choice] = headOf(event.choice);
        return `${encodeRole(event.choice)}${headOf(event.choice)}${encodeDeltaJson(event)}${deltaTail}`;
      }
      return deltaHead + encodeDeltaJson(event) + deltaTail;
    },
    holdFinish(event) {
      finishes.push(event);
    },
    encodeFinish(usage, charge) {
      const meta = `,"meta":{"usage":${JSON.stringify(encodeCost(charge))}}`;
      let frames = '';
      for (const [position, finish] of finishes.entries()) {
        const { choice, reason, completionTokens } = finish;
        if (deltaHeads[choice] === undefined) frames += encodeRole(choice);
        const isLast = !includesUsage && position === finishes.length - 1;
        const choiceUsage = JSON.stringify(encodeUsage(usage, completionTokens));
        frames += `${headOf(choice)}${encodeLastDelta(finish)},"finish_reason":"${reason}","usage":${choiceUsage}}]${nullUsage}${isLast ? meta : ''}}\n\n`;
      }
      if (includesUsage) frames += `${head}],"usage":${JSON.stringify(encodeUsage(usage))}${meta}}\n\n`;
      return frames + doneFrame;
    },
  };
}

function encodeLastDelta({ annotations }: ChoiceFinish): string {
  return annotations === undefined ? '{}' : JSON.stringify({ annotations: encodeAnnotations(annotations) });
}

/** The delta, and after it the choice's `logprobs` where there are any. */
function encodeDeltaJson(event: DeltaEvent): string {
  switch (event.type) {
    case 'text-delta':
      return `{"content":${JSON.stringify(event.text)}}${encodeLogprobsField(event.logprobs)}`;
    case 'tool-call-start':
      return `{"tool_calls":[{"index":${event.index},"id":${JSON.stringify(event.id)},"type":"function","function":{"name":${JSON.stringify(event.name)},"arguments":""}}]}`;
    case 'tool-call-delta':
      return `{"tool_calls":[{"index":${event.index},"function":{"arguments":${JSON.stringify(event.argumentsText)}}}]}`;
    default:
      return event satisfies never;
  }
}

function encodeLogprobsField(logprobs: readonly TokenLogprob[] | undefined): string {
  return logprobs === undefined ? '' : `,"logprobs":${JSON.stringify(encodeLogprobs(logprobs))}`;
}
