import { describe, expect, it } from 'vitest';
import { testCaller } from '../chat/__fixtures__/test-caller.ts';
import type { Meter, TurnOutcome, TurnToMeter } from './meter.ts';
import { observeMeter } from './observe-meter.ts';

const turn: TurnToMeter = {
  caller: testCaller(),
  inferenceId: 'chatcmpl-1',
  clientRequestId: undefined,
  modelId: 'a/model',
  promptTokens: 10,
  outputTokensMax: 64,
  choiceCount: 1,
};

const outcomeOf = (status: TurnOutcome['status']): TurnOutcome => ({
  usage: { promptTokens: 10, cachedTokens: 0, completionTokens: 2, source: 'engine' },
  status,
  timeToFirstTokenMs: 1,
  durationMs: 2,
});

function openObserved(settle: () => Promise<void>) {
  const told: string[] = [];
  const meter: Meter = {
    open: async () => ({
      outputTokensMax: 64,
      settle: async () => {
        await settle();
        return { costNanoUsd: 7n };
      },
      release: async () => undefined,
    }),
  };
  return { told, meter: observeMeter(meter, ({ inferenceId }) => told.push(inferenceId)) };
}

describe('an observed meter', () => {
  it('tells of an answered turn once, and passes its charge on', async () => {
    const { told, meter } = openObserved(async () => undefined);
    const hold = await meter.open(turn);
    expect(await hold.settle(outcomeOf('succeeded'))).toEqual({ costNanoUsd: 7n });
    await hold.settle(outcomeOf('succeeded'));
    expect(told).toEqual(['chatcmpl-1']);
  });

  it('tells of no turn that failed, was left, or could not be settled', async () => {
    const { told, meter } = openObserved(async () => undefined);
    await (await meter.open(turn)).settle(outcomeOf('client_left'));
    await (await meter.open(turn)).release({ errorCode: 'engine_failed', durationMs: 1 });
    const broken = openObserved(async () => {
      throw new Error('the disk is full');
    });
    const hold = await broken.meter.open(turn);
    await expect(hold.settle(outcomeOf('succeeded'))).rejects.toThrow('the disk is full');
    expect([...told, ...broken.told]).toEqual([]);
  });
});
