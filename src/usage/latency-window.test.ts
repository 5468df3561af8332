import { describe, expect, it } from 'vitest';
import { createLatencyWindow, type LatencySample } from './latency-window.ts';

const sample = (change: Partial<LatencySample> = {}): LatencySample => ({
  modelId: 'a/model',
  timeToFirstTokenMs: 100,
  durationMs: 1_100,
  outputTokens: 51,
  ...change,
});

function openWindow() {
  let ms = 1_000_000;
  const window = createLatencyWindow(() => ms);
  return {
    ...window,
    advance: (byMs: number) => {
      ms += byMs;
    },
  };
}

const all = (value: number) => ({ p50: value, p75: value, p90: value, p99: value });

describe('the latency window', () => {
  it('gives percentiles by nearest rank', () => {
    const window = openWindow();
    for (let ms = 100; ms >= 1; ms -= 1) window.record(sample({ timeToFirstTokenMs: ms, durationMs: 2_000 }));
    const [model] = window.summarise().models;
    expect(model?.timeToFirstTokenMs).toEqual({ p50: 50, p75: 75, p90: 90, p99: 99 });
    expect(model?.durationMs).toEqual(all(2_000));
  });

  it('counts throughput from the first token on', () => {
    const window = openWindow();
    window.record(sample());
    expect(window.summarise().models[0]?.tokensPerSecond).toEqual(all(50));
  });

  it('leaves out what no sample has', () => {
    const window = openWindow();
    window.record(sample({ outputTokens: 1 }));
    window.record(sample({ modelId: 'b/model', timeToFirstTokenMs: undefined, outputTokens: 0 }));
    const [one, two] = window.summarise().models;
    expect(one).toMatchObject({ tokensPerSecond: undefined, timeToFirstTokenMs: all(100) });
    expect(two).toMatchObject({
      timeToFirstTokenMs: undefined,
      tokensPerSecond: undefined,
      durationMs: all(1_100),
    });
  });

  it('forgets what is older than five minutes, and models with it', () => {
    const window = openWindow();
    window.record(sample({ durationMs: 1 }));
    window.record(sample({ modelId: 'b/model' }));
    window.advance(299_999);
    window.record(sample({ durationMs: 3 }));
    expect(window.summarise().models.map(({ durationMs }) => durationMs?.p50)).toEqual([1, 1_100]);
    window.advance(1_000);
    expect(window.summarise()).toMatchObject({
      computedAt: 1_300_999,
      models: [{ modelId: 'a/model', durationMs: all(3) }],
    });
    window.advance(300_000);
    expect(window.summarise().models).toEqual([]);
  });

  it('is made at most once a second', () => {
    const window = openWindow();
    const first = window.summarise();
    window.record(sample());
    window.advance(999);
    expect(window.summarise()).toBe(first);
    window.advance(1);
    expect(window.summarise().models).toHaveLength(1);
  });

  it('keeps the newest ten thousand of a model', () => {
    const window = openWindow();
    for (let i = 1; i <= 25_000; i += 1) window.record(sample({ durationMs: i }));
    expect(window.summarise().models[0]?.durationMs).toEqual({
      p50: 20_000,
      p75: 22_500,
      p90: 24_000,
      p99: 24_900,
    });
  });
});
