import { type ErrorCode, toApiError } from '../errors.ts';
import type { ChatService, ChatTurnContext } from './chat-service.ts';
import type { ChatRequest } from './types.ts';

/** A turn that was refused before any work; what fails later is logged by its meter. */
export interface RefusedTurn extends Pick<ChatTurnContext, 'caller' | 'inferenceId' | 'clientRequestId'> {
  readonly modelId: ChatRequest['modelId'];
  readonly errorCode: ErrorCode;
  readonly durationMs: number;
}

/** The same service; whoever keeps the log is told of refusals. A client that left was not refused. */
export function logRefusals(
  chat: ChatService,
  { onRefused, nowMs }: { readonly onRefused: (turn: RefusedTurn) => void; readonly nowMs: () => number },
): ChatService {
  return {
    ...chat,
    start: async (request, turn) => {
      const startedMs = nowMs();
      try {
        return await chat.start(request, turn);
      } catch (thrown) {
        const { code } = toApiError(thrown);
        const { caller, inferenceId, clientRequestId } = turn;
        if (code !== 'client_closed_request') {
          const durationMs = nowMs() - startedMs;
          onRefused({
            caller,
            inferenceId,
            clientRequestId,
            modelId: request.modelId,
            errorCode: code,
            durationMs,
          });
        }
        throw thrown;
      }
    },
  };
}
