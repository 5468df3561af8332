import { describe, expect, it } from 'vitest';
import { testCaller } from '../chat/__fixtures__/test-caller.ts';
import type { ChatEvent, Usage } from '../chat/types.ts';
import { ApiError } from '../errors.ts';
import { createFreeMeter } from './free-meter.ts';
import type { Hold, Meter, TurnOutcome, TurnToMeter } from './meter.ts';
import { createTurnMetering, type TurnToRun } from './metered-turn.ts';

const usage: Usage = { promptTokens: 7, cachedTokens: 2, completionTokens: 3, source: 'engine' };
const usageSoFar: Usage = { promptTokens: 7, cachedTokens: 0, completionTokens: 1, source: 'estimate' };
const usageBefore: Usage = { ...usageSoFar, completionTokens: 0 };

/** One of every kind of event, in a legal order. */
const turnEvents: readonly ChatEvent[] = [
  { type: 'prefill-progress', processedTokens: 4, totalTokens: 7 },
  { type: 'text-delta', choice: 0, text: 'Hi' },
  { type: 'tool-call-start', choice: 0, index: 0, id: 'f:0', name: 'f' },
  { type: 'tool-call-delta', choice: 0, index: 0, argumentsText: '{}' },
  { type: 'choice-finish', choice: 0, reason: 'tool_calls', completionTokens: 3 },
  { type: 'finish', usage },
];
const outputStartsAt = 1;

/** A meter that writes down what it is asked, in order, and can fail on demand. */
function createRecordingMeter(failing: { settle?: Error; release?: Error } = {}) {
  const opened: TurnToMeter[] = [];
  const settled: TurnOutcome[] = [];
  const released: string[] = [];
  const hold: Hold = {
    outputTokensMax: 5,
    settle: async (outcome) => {
      if (failing.settle !== undefined) throw failing.settle;
      settled.push(outcome);
      return { costNanoUsd: 42n };
    },
    release: async ({ errorCode }) => {
      if (failing.release !== undefined) throw failing.release;
      released.push(errorCode);
    },
  };
  const meter: Meter = {
    open: async (turn) => {
      opened.push(turn);
      return hold;
    },
  };
  return { meter, opened, settled, released };
}

/** Where and how the source of events goes wrong; `at` counts events that were yielded before. */
type SourceEnding =
  | { readonly kind: 'complete' }
  | { readonly kind: 'throws' | 'ends-early' | 'hangs-until-abort'; readonly at: number };

function createTurn(ending: SourceEnding, controller = new AbortController()) {
  const source = {
    isOpen: false,
    hasOutput: false,
    outputTokensMax: 0,
    isWaiting: Promise.withResolvers<void>(),
  };
  const turn: TurnToRun = {
    caller: testCaller(),
    inferenceId: 'chatcmpl-1',
    clientRequestId: undefined,
    signal: controller.signal,
    modelId: 'm',
    choiceCount: 2,
    promptTokens: 7,
    outputTokensMax: 9,
    usageSoFar: () => (source.hasOutput ? usageSoFar : usageBefore),
    run: async function* (outputTokensMax) {
      source.isOpen = true;
      source.outputTokensMax = outputTokensMax;
      try {
        for (const [position, event] of turnEvents.entries()) {
          if (ending.kind !== 'complete' && ending.at === position) {
            if (ending.kind === 'throws') throw new ApiError('engine_failed');
            if (ending.kind === 'ends-early') return;
            source.isWaiting.resolve();
            await new Promise<void>((resolve) => {
              controller.signal.addEventListener('abort', () => resolve());
            });
            throw new ApiError('upstream_failed');
          }
          source.hasOutput ||= position >= outputStartsAt;
          yield event;
        }
      } finally {
        source.isOpen = false;
      }
    },
  };
  return { turn, source, controller };
}

async function drain(events: AsyncIterable<ChatEvent>): Promise<{ seen: ChatEvent[]; error: unknown }> {
  const seen: ChatEvent[] = [];
  try {
    for await (const event of events) seen.push(event);
    return { seen, error: undefined };
  } catch (error) {
    return { seen, error };
  }
}

const positions = turnEvents.map((_, position) => position);
const createMeterTurn = (meter: Meter) => {
  let nowMs = 1000;
  return createTurnMetering({ meter, nowMs: () => nowMs++ });
};

describe('a metered turn', () => {
  it('passes every event on, settles before `finish` is seen and knows its charge then', async () => {
    const { meter, opened, settled, released } = createRecordingMeter();
    const { turn, source } = createTurn({ kind: 'complete' });
    const metered = await createMeterTurn(meter)(turn);
    expect(() => metered.charge()).toThrow('once `finish` was yielded');
    for await (const event of metered.events) {
      expect(settled.length).toBe(event.type === 'finish' ? 1 : 0);
    }
    expect(metered.charge()).toEqual({ costNanoUsd: 42n });
    expect(released).toEqual([]);
    expect(settled[0]).toMatchObject({ usage, status: 'succeeded' });
    expect(settled[0]?.timeToFirstTokenMs).toBeLessThanOrEqual(settled[0]?.durationMs ?? 0);
    expect(opened[0]).toMatchObject({ inferenceId: 'chatcmpl-1', promptTokens: 7, outputTokensMax: 18 });
    expect(source).toMatchObject({ isOpen: false, outputTokensMax: 5 });
  });

  it.each(positions)('releases when the engine throws or ends after %i events', async (at) => {
    for (const kind of ['throws', 'ends-early'] as const) {
      const { meter, settled, released } = createRecordingMeter();
      const { turn, source } = createTurn({ kind, at });
      const { seen, error } = await drain((await createMeterTurn(meter)(turn)).events);
      expect(seen).toEqual(turnEvents.slice(0, at));
      expect(error).toMatchObject({ code: 'engine_failed' });
      expect({ settled, released }).toEqual({ settled: [], released: ['engine_failed'] });
      expect(source.isOpen).toBe(false);
    }
  });

  it.each(positions)('ends once when the client leaves while event %i is awaited', async (at) => {
    const { meter, settled, released } = createRecordingMeter();
    const { turn, source, controller } = createTurn({ kind: 'hangs-until-abort', at });
    const { events } = await createMeterTurn(meter)(turn);
    const drained = drain(events);
    await source.isWaiting.promise;
    controller.abort();
    expect((await drained).error).toMatchObject({ code: 'client_closed_request' });
    expectLeft(at > outputStartsAt, settled, released);
    expect(source.isOpen).toBe(false);
  });

  it.each(positions)('ends once when the client leaves while nobody awaits event %i', async (at) => {
    const { meter, settled, released } = createRecordingMeter();
    const { turn, source, controller } = createTurn({ kind: 'complete' });
    const iterator = (await createMeterTurn(meter)(turn)).events[Symbol.asyncIterator]();
    for (let pulls = 0; pulls < at; pulls += 1) await iterator.next();
    controller.abort();
    await expect(iterator.next()).rejects.toMatchObject({ code: 'client_closed_request' });
    await iterator.return?.();
    expectLeft(at > outputStartsAt, settled, released);
    expect(source.isOpen).toBe(false);
  });

  it.each([...positions, turnEvents.length])(
    'ends once when the reader stops after %i events',
    async (at) => {
      const { meter, settled, released } = createRecordingMeter();
      const { turn, source } = createTurn({ kind: 'complete' });
      const iterator = (await createMeterTurn(meter)(turn)).events[Symbol.asyncIterator]();
      for (let pulls = 0; pulls < at; pulls += 1) await iterator.next();
      await iterator.return?.();
      await iterator.return?.();
      if (at === turnEvents.length) {
        expect(settled.map(({ status }) => status)).toEqual(['succeeded']);
        expect(released).toEqual([]);
      } else expectLeft(at > outputStartsAt, settled, released);
      expect(source.isOpen).toBe(false);
    },
  );

  it('ends once when the reader stops while it awaits an event', async () => {
    const { meter, settled, released } = createRecordingMeter();
    const { turn, source, controller } = createTurn({ kind: 'hangs-until-abort', at: 2 });
    const iterator = (await createMeterTurn(meter)(turn)).events[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    const pending = iterator.next();
    await source.isWaiting.promise;
    const returned = iterator.return?.();
    controller.abort();
    await expect(pending).rejects.toMatchObject({ code: 'client_closed_request' });
    await returned;
    expectLeft(true, settled, released);
  });

  it('charges for work that was held back to be judged when the client left', async () => {
    const { meter, settled, released } = createRecordingMeter();
    const { turn, source, controller } = createTurn({ kind: 'hangs-until-abort', at: 1 });
    const drained = drain((await createMeterTurn(meter)(turn)).events);
    await source.isWaiting.promise;
    source.hasOutput = true;
    controller.abort();
    expect((await drained).seen).toEqual(turnEvents.slice(0, 1));
    expectLeft(true, settled, released);
  });

  it('charges for searches that were made before the client left', async () => {
    const { meter, settled } = createRecordingMeter();
    const { turn, source, controller } = createTurn({ kind: 'hangs-until-abort', at: 1 });
    const searched = { ...usageBefore, fees: { webSearches: 1, cacheHits: 0 } };
    const drained = drain((await createMeterTurn(meter)({ ...turn, usageSoFar: () => searched })).events);
    await source.isWaiting.promise;
    controller.abort();
    await drained;
    expect(settled).toMatchObject([{ status: 'client_left', usage: searched }]);
  });

  it('tells when its money is settled, which may be after its client and its reader are gone', async () => {
    const recording = createRecordingMeter();
    const isWritten = Promise.withResolvers<void>();
    const order: string[] = [];
    const meter: Meter = {
      open: async (asked) => {
        const hold = await recording.meter.open(asked);
        const settle = async (outcome: TurnOutcome) => {
          await isWritten.promise;
          order.push('settled');
          return await hold.settle(outcome);
        };
        return { ...hold, settle };
      },
    };
    const ends: Promise<void>[] = [];
    const meterTurn = createTurnMetering({ meter, nowMs: () => 0, onTurn: (ended) => ends.push(ended) });
    const { turn, controller } = createTurn({ kind: 'complete' });
    const iterator = (await meterTurn(turn)).events[Symbol.asyncIterator]();
    for (let pulls = 0; pulls < 2; pulls += 1) await iterator.next();
    controller.abort();
    const told = Promise.all(ends).then(() => order.push('told'));
    isWritten.resolve();
    await told;
    expect(ends).toHaveLength(1);
    expect(order).toEqual(['settled', 'told']);
  });

  it('is over at once when the meter refused it, and when its release cannot be written', async () => {
    const ends: Promise<void>[] = [];
    const onTurn = (ended: Promise<void>): void => void ends.push(ended);
    const { turn } = createTurn({ kind: 'throws', at: 2 });
    const refusing: Meter = { open: async () => Promise.reject(new ApiError('insufficient_balance')) };
    await expect(createTurnMetering({ meter: refusing, nowMs: () => 0, onTurn })(turn)).rejects.toThrow();
    const { meter } = createRecordingMeter({ release: new Error('disk full') });
    await drain((await createTurnMetering({ meter, nowMs: () => 0, onTurn })(turn)).events);
    await expect(Promise.all(ends)).resolves.toHaveLength(2);
  });

  it('charges nothing when the client had left before the hold was open', async () => {
    const { meter, settled, released } = createRecordingMeter();
    const { turn, controller } = createTurn({ kind: 'complete' });
    controller.abort();
    const { events } = await createMeterTurn(meter)(turn);
    expect((await drain(events)).error).toMatchObject({ code: 'client_closed_request' });
    expectLeft(false, settled, released);
  });

  it('releases when the turn cannot even be started', async () => {
    const { meter, settled, released } = createRecordingMeter();
    const { turn } = createTurn({ kind: 'complete' });
    const run = () => {
      throw new Error('no engine');
    };
    const { error } = await drain((await createMeterTurn(meter)({ ...turn, run })).events);
    expect(error).toMatchObject({ code: 'internal_error' });
    expect({ settled, released }).toEqual({ settled: [], released: ['internal_error'] });
  });

  it('releases and fails when the settlement cannot be written', async () => {
    const { meter, settled, released } = createRecordingMeter({ settle: new Error('disk full') });
    const { turn, source } = createTurn({ kind: 'complete' });
    const { seen, error } = await drain((await createMeterTurn(meter)(turn)).events);
    expect(seen).toEqual(turnEvents.slice(0, -1));
    expect(error).toMatchObject({ code: 'internal_error' });
    expect({ settled, released }).toEqual({ settled: [], released: ['internal_error'] });
    expect(source.isOpen).toBe(false);
  });

  it('fails when even the release cannot be written, and keeps both reasons', async () => {
    const { meter } = createRecordingMeter({ release: new Error('disk full') });
    const { turn } = createTurn({ kind: 'throws', at: 2 });
    const { error } = await drain((await createMeterTurn(meter)(turn)).events);
    expect(error).toMatchObject({
      code: 'internal_error',
      cause: { errors: [{ message: 'disk full' }, { code: 'engine_failed' }] },
    });
  });

  it('opens no hold that the meter refused', async () => {
    const { turn, source } = createTurn({ kind: 'complete' });
    const meter: Meter = { open: async () => Promise.reject(new ApiError('insufficient_balance')) };
    await expect(createMeterTurn(meter)(turn)).rejects.toMatchObject({ code: 'insufficient_balance' });
    expect(source.outputTokensMax).toBe(0);
  });

  it('is free and unlimited with the empty meter', async () => {
    const { turn, source } = createTurn({ kind: 'complete' });
    const metered = await createMeterTurn(createFreeMeter())(turn);
    expect((await drain(metered.events)).seen).toEqual(turnEvents);
    expect(metered.charge()).toEqual({ costNanoUsd: 0n });
    expect(source.outputTokensMax).toBe(9);
  });
});

/** A client that left is charged for what was generated, or for nothing when nothing was; it never fails. */
function expectLeft(isCharged: boolean, settled: TurnOutcome[], released: string[]): void {
  const nothing = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, source: 'estimate' };
  expect(settled.map((outcome) => [outcome.status, outcome.usage])).toEqual([
    ['client_left', isCharged ? usageSoFar : nothing],
  ]);
  expect(released).toEqual([]);
}
