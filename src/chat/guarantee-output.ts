/**
 * Makes sure that no answer leaves that breaks the request's rules, on engines that cannot constrain decoding.
 * What a rule covers is held back until the choice ended, judged, and generated again when it was refused; text
 * that no rule covers streams straight through.
 */
import type { PreparedTurn, Rejection } from '../engines/engine.ts';
import { ApiError } from '../errors.ts';
import { type ChoiceEvent, type ChoiceFold, createChoiceFold, type FoldedChoice } from './choice-fold.ts';
import type { OutputRules } from './output-rules.ts';
import type { TurnProgress } from './turn-progress.ts';
import type { ChatEvent, Usage } from './types.ts';

/** Tries after the first; then the turn fails and costs nothing. */
const RESAMPLES_MAX = 3;

export interface GuardedTurn {
  readonly prepared: PreparedTurn;
  readonly rules: OutputRules;
  readonly choices: readonly number[];
  readonly outputTokensMax: number;
  readonly progress: TurnProgress;
  /** Gives tool calls their ids. */
  readonly nameEvent: (event: Parameters<TurnProgress['record']>[0]) => ChatEvent;
}

interface GuardedChoice {
  readonly choice: number;
  fold: ChoiceFold;
  hasShownText: boolean;
}

/**
 * The turn's events; usage counts accepted attempts only. Throws what the engine throws, and ApiError
 * `unexpected_output` when a choice was refused four times or could not be judged in time.
 */
export async function* guaranteeOutput(turn: GuardedTurn): AsyncGenerator<ChatEvent> {
  const guarded = new Map(turn.choices.map((choice) => [choice, guardChoice(choice)]));
  const refused: { readonly choice: GuardedChoice; readonly rejection: Rejection }[] = [];
  let usage: Usage | undefined;
  let completionTokens = 0;

  const { outputTokensMax, choices } = turn;
  for await (const event of runNamed(turn, { outputTokensMax, choices, attempt: 0 })) {
    if (event.type === 'prefill-progress') yield event;
    else if (event.type === 'finish') usage = event.usage;
    else {
      const choice = requireChoice(guarded, event);
      choice.fold.add(event);
      if (event.type === 'text-delta' && !turn.rules.isTextHeldBack) {
        choice.hasShownText ||= event.text.trim() !== '';
        yield event;
      } else if (event.type === 'choice-finish') {
        const outcome = await judge(turn.rules, choice);
        if ('rejection' in outcome) refused.push({ choice, rejection: outcome.rejection });
        else {
          completionTokens += outcome.answer.completionTokens;
          yield* showAnswer(choice.choice, outcome.answer, turn.rules.isTextHeldBack);
        }
      }
    }
  }
  if (usage === undefined)
    throw new ApiError('engine_failed', { internal: 'the engine ended without `finish`' });

  for (const { choice, rejection } of refused) {
    const answer = yield* resample(turn, choice, rejection);
    completionTokens += answer.completionTokens;
    yield* showAnswer(choice.choice, followShownText(choice, answer), true);
  }
  yield { type: 'finish', usage: { ...usage, completionTokens } };
}

const guardChoice = (choice: number): GuardedChoice => ({
  choice,
  fold: createChoiceFold(),
  hasShownText: false,
});

function requireChoice(guarded: ReadonlyMap<number, GuardedChoice>, event: ChoiceEvent): GuardedChoice {
  const choice = guarded.get(event.choice);
  if (choice === undefined) {
    throw new ApiError('engine_failed', { internal: `the engine answered choice ${event.choice}, unasked` });
  }
  return choice;
}

async function* runNamed(
  turn: GuardedTurn,
  options: Parameters<PreparedTurn['run']>[0],
): AsyncGenerator<ChatEvent> {
  for await (const event of turn.prepared.run(options)) {
    turn.progress.record(event);
    yield turn.nameEvent(event);
  }
}

/** Generates one choice until it is accepted; shows only the progress of its prompt. */
async function* resample(
  turn: GuardedTurn,
  choice: GuardedChoice,
  firstRejection: Rejection,
): AsyncGenerator<ChatEvent, FoldedChoice> {
  let rejection = firstRejection;
  for (let attempt = 1; attempt <= RESAMPLES_MAX; attempt += 1) {
    choice.fold = createChoiceFold();
    turn.progress.restart(choice.choice);
    const options = {
      outputTokensMax: turn.outputTokensMax,
      choices: [choice.choice],
      attempt,
      rejection,
    };
    for await (const event of runNamed(turn, options)) {
      if (event.type === 'prefill-progress') yield event;
      else if (event.type !== 'finish') choice.fold.add(event);
    }
    const outcome = await judge(turn.rules, choice);
    if ('answer' in outcome) return outcome.answer;
    if (attempt === RESAMPLES_MAX && outcome.tolerable !== undefined) return outcome.tolerable;
    rejection = outcome.rejection;
  }
  throw new ApiError('unexpected_output', { internal: rejection.reason });
}

type Judgement =
  | { readonly answer: FoldedChoice }
  | { readonly rejection: Rejection; readonly tolerable: FoldedChoice | undefined };

async function judge(rules: OutputRules, choice: GuardedChoice): Promise<Judgement> {
  const answer = choice.fold.result();
  if (answer === undefined) {
    throw new ApiError('engine_failed', { internal: `choice ${choice.choice} never finished` });
  }
  const verdict = await rules.judge(answer);
  if (!verdict.isAccepted) {
    const { reason, tolerable } = verdict;
    return { rejection: { reason, text: answer.text, toolCalls: answer.toolCalls }, tolerable };
  }
  return { answer: verdict.answer };
}

/**
 * Text of the first attempt cannot be taken back. Before tool calls it is the introduction, and the repeated one is
 * left out; an answer in words instead of the refused call goes on below it.
 */
function followShownText(choice: GuardedChoice, answer: FoldedChoice): FoldedChoice {
  if (!choice.hasShownText || answer.text === '') return answer;
  return { ...answer, text: answer.toolCalls.length > 0 ? '' : `\n\n${answer.text}` };
}

function* showAnswer(choice: number, answer: FoldedChoice, isTextShown: boolean): Generator<ChatEvent> {
  if (isTextShown && answer.text !== '') {
    const logprobs = answer.logprobs.length > 0 ? { logprobs: answer.logprobs } : {};
    yield { type: 'text-delta', choice, text: answer.text, ...logprobs };
  }
  for (const [index, call] of answer.toolCalls.entries()) {
    yield { type: 'tool-call-start', choice, index, id: call.id, name: call.name };
    if (call.argumentsText !== '') {
      yield { type: 'tool-call-delta', choice, index, argumentsText: call.argumentsText };
    }
  }
  yield {
    type: 'choice-finish',
    choice,
    reason: answer.finishReason,
    completionTokens: answer.completionTokens,
  };
}
