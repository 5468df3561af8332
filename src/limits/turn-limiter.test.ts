import { expect, it, onTestFinished, vi } from 'vitest';
import { createFreeMeter } from '../billing/free-meter.ts';
import { testCaller, testRateLimits } from '../chat/__fixtures__/test-caller.ts';
import { createMemoryCounters } from './memory-counters.ts';
import { createTurnLimiter } from './turn-limiter.ts';

const caller = testCaller({
  rateLimits: { key: testRateLimits({ concurrency: 1 }), account: undefined },
});

it('a place that was given back while it was being renewed is free', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const memory = createMemoryCounters();
  const slow = Promise.withResolvers<void>();
  const renewed = Promise.withResolvers<void>();
  const counters = {
    ...memory,
    renew: async (leases: Parameters<typeof memory.renew>[0]) => {
      await slow.promise;
      await memory.renew(leases);
      renewed.resolve();
    },
  };
  const limiter = createTurnLimiter({ counters, readUsedTokens: async () => 0 });
  onTestFinished(async () => await limiter.close());
  const meter = limiter.limitMeter(createFreeMeter());
  await limiter.admit({ caller, inferenceId: 'first' });
  const hold = await meter.open({
    caller,
    inferenceId: 'first',
    clientRequestId: undefined,
    modelId: 'acme/model',
    promptTokens: 1,
    outputTokensMax: 1,
    choiceCount: 1,
  });
  vi.advanceTimersToNextTimer();
  await hold.release({ errorCode: 'engine_failed', durationMs: 1 });
  slow.resolve();
  await renewed.promise;
  await expect
    .poll(() => limiter.admit({ caller, inferenceId: 'second' }).catch(() => 'refused'))
    .not.toBe('refused');
});
