/** A parameter that the upstream cannot honour is refused with its name, before anything is counted or sent. */
import type { ChatRequest } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { UpstreamCapabilities } from './upstream-options.ts';

interface Demand {
  readonly param: string;
  readonly isUnmet: (request: ChatRequest, capabilities: UpstreamCapabilities) => boolean;
  /** Ends the sentence "the engine behind this model …". */
  readonly reason: (capabilities: UpstreamCapabilities) => string;
}

const demands: readonly Demand[] = [
  {
    param: 'tools',
    isUnmet: ({ tools }, { tools: canCall }) => tools.length > 0 && !canCall,
    reason: () => 'does not know tools',
  },
  {
    param: 'logprobs',
    isUnmet: ({ logprobs }, capabilities) => logprobs !== undefined && !capabilities.logprobs,
    reason: () => 'gives no log probabilities',
  },
  {
    param: 'seed',
    isUnmet: ({ sampling }, capabilities) => sampling.seed !== undefined && !capabilities.seed,
    reason: () => 'takes no seed',
  },
  {
    param: 'presence_penalty',
    isUnmet: ({ sampling }, { penalties }) => sampling.presencePenalty !== 0 && !penalties,
    reason: () => 'knows no penalties',
  },
  {
    param: 'frequency_penalty',
    isUnmet: ({ sampling }, { penalties }) => sampling.frequencyPenalty !== 0 && !penalties,
    reason: () => 'knows no penalties',
  },
  {
    param: 'temperature',
    isUnmet: ({ sampling }, { temperatureMax }) => sampling.temperature > temperatureMax,
    reason: ({ temperatureMax }) => `takes temperatures up to ${temperatureMax}`,
  },
  {
    param: 'stop',
    isUnmet: ({ stop }, { stopCountMax }) => stop.length > stopCountMax,
    reason: ({ stopCountMax }) => `takes up to ${stopCountMax} stop strings`,
  },
  {
    param: 'messages',
    isUnmet: ({ messages }, { partial }) => {
      const last = messages.at(-1);
      return last?.role === 'assistant' && last.isPartial && partial === undefined;
    },
    reason: () => 'cannot continue a partial assistant message',
  },
];

/** Throws ApiError `not_supported`. */
export function refuseUnsupported(request: ChatRequest, capabilities: UpstreamCapabilities): void {
  if (request.isDeterministic) {
    throw new ApiError('not_supported', {
      message:
        'Invalid request: deterministic mode needs the embedded engine; the engine behind this model cannot promise it.',
    });
  }
  const unmet = demands.find(({ isUnmet }) => isUnmet(request, capabilities));
  if (unmet === undefined) return;
  throw new ApiError('not_supported', {
    message: `Invalid request: the engine behind this model ${unmet.reason(capabilities)} (\`${unmet.param}\`).`,
    param: unmet.param,
  });
}
