import { describe, expect, it } from 'vitest';
import { createRunGate, type RunGate } from './run-gate.ts';

/** Enters, and tells whether it is in. */
async function enter(gate: RunGate, isAlone: boolean, signal = new AbortController().signal) {
  const state = { isIn: false, leave: (): void => undefined };
  const entered = gate.enter(isAlone, signal).then((leave) => {
    state.isIn = true;
    state.leave = leave;
  });
  await Promise.race([entered, new Promise(setImmediate)]);
  return state;
}

const settle = () => new Promise(setImmediate);

describe('run gate', () => {
  it('lets everybody in while nobody has to run alone', async () => {
    const gate = createRunGate();
    expect([(await enter(gate, false)).isIn, (await enter(gate, false)).isIn]).toEqual([true, true]);
  });

  it('lets one run alone when the others have left, and the others after it', async () => {
    const gate = createRunGate();
    const first = await enter(gate, false);
    const alone = await enter(gate, true);
    const second = await enter(gate, false);
    expect([alone.isIn, second.isIn]).toEqual([false, true]);
    first.leave();
    second.leave();
    await settle();
    expect(alone.isIn).toBe(true);
    const [third, nextAlone] = [await enter(gate, false), await enter(gate, true)];
    expect([third.isIn, nextAlone.isIn]).toEqual([false, false]);
    alone.leave();
    alone.leave();
    await settle();
    expect([third.isIn, nextAlone.isIn]).toEqual([true, false]);
    third.leave();
    await settle();
    expect(nextAlone.isIn).toBe(true);
  });

  it('forgets whoever gives up', async () => {
    const gate = createRunGate();
    const first = await enter(gate, true);
    const controller = new AbortController();
    const refused = gate.enter(true, controller.signal);
    controller.abort(new Error('gone'));
    await expect(refused).rejects.toThrow('gone');
    first.leave();
    expect((await enter(gate, false)).isIn).toBe(true);
  });
});
