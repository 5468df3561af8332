import { expect, it, onTestFinished } from 'vitest';
import { createFreeMeter } from '../billing/free-meter.ts';
import { createTurnMetering } from '../billing/metered-turn.ts';
import { createMemoryCounters } from '../limits/memory-counters.ts';
import { createTurnLimiter } from '../limits/turn-limiter.ts';
import { createDateFormula } from '../web-search/formulas/date-formula.ts';
import { testCaller, testRateLimits } from './__fixtures__/test-caller.ts';
import { createFormulaService } from './formula-service.ts';

const caller = testCaller({
  rateLimits: { key: undefined, account: testRateLimits({ requestsPerMinute: 2, concurrency: 1 }) },
});

it('runs that cost nothing count as requests, and their places are free again', async () => {
  const limiter = createTurnLimiter({ counters: createMemoryCounters(), readUsedTokens: async () => 0 });
  onTestFinished(async () => await limiter.close());
  const formula = createDateFormula(() => 0);
  const service = createFormulaService({
    formulas: [formula],
    meterTurn: createTurnMetering({ meter: limiter.limitMeter(createFreeMeter()), nowMs: () => 0 }),
    admitTurn: limiter.admit,
    modelId: 'acme/model',
  });
  const run = async (inferenceId: string) =>
    await service.run({
      formula,
      argumentsText: '{"operation":"now"}',
      caller,
      inferenceId,
      clientRequestId: undefined,
      signal: new AbortController().signal,
    });
  expect((await run('first')).outcome.status).toBe('succeeded');
  expect((await run('second')).outcome.status).toBe('succeeded');
  await expect(run('third')).rejects.toMatchObject({ code: 'rate_limit_reached' });
});
