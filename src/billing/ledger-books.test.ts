import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import type { Caller } from '../chat/types.ts';
import { createKey } from '../keys/api-keys.ts';
import type { Store } from '../store/store.ts';
import { bookTopUp } from './ledger.ts';
import { type LedgerMeter, openLedgerMeter } from './ledger-meter.ts';
import type { Hold } from './meter.ts';
import { createResourceBilling } from './resource-billing.ts';
import { verifyLedger } from './verify-ledger.ts';

type Step =
  | { readonly type: 'hold'; readonly promptTokens: number; readonly outputTokensMax: number }
  | { readonly type: 'settle'; readonly turn: number; readonly share: number }
  | { readonly type: 'release'; readonly turn: number }
  | { readonly type: 'top-up' | 'refund'; readonly amountNanoUsd: bigint }
  | { readonly type: 'resource-hold'; readonly amountNanoUsd: bigint }
  | { readonly type: 'resource-settle' | 'resource-release'; readonly share: number }
  | { readonly type: 'crash' };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('hold' as const),
    promptTokens: fc.integer({ min: 0, max: 5_000 }),
    outputTokensMax: fc.integer({ min: 1, max: 5_000 }),
  }),
  fc.record({
    type: fc.constant('settle' as const),
    turn: fc.nat(10),
    share: fc.integer({ min: 0, max: 100 }),
  }),
  fc.record({ type: fc.constant('release' as const), turn: fc.nat(10) }),
  fc.record({
    type: fc.constantFrom('top-up' as const, 'refund' as const),
    amountNanoUsd: fc.bigInt({ min: 1n, max: 50_000_000n }),
  }),
  fc.record({
    type: fc.constant('resource-hold' as const),
    amountNanoUsd: fc.bigInt({ min: 0n, max: 5_000_000n }),
  }),
  fc.record({
    type: fc.constantFrom('resource-settle' as const, 'resource-release' as const),
    share: fc.integer({ min: 0, max: 120 }),
  }),
  fc.record({ type: fc.constant('crash' as const) }),
);

const resourceOf = ({ caller: { accountId, keyId } }: World) => ({
  resourceId: 'cache-1',
  accountId,
  keyId,
  modelId: 'moonshot/kimi-k2-turbo-preview',
});

interface World {
  readonly store: Store;
  readonly caller: Caller;
  meter: LedgerMeter;
  now: number;
  open: { readonly hold: Hold; readonly promptTokens: number }[];
  /** They outlive a crash, until they expire. */
  readonly resourceHolds: { readonly holdId: string; readonly amountNanoUsd: bigint }[];
}

let ids = 0;

async function runStep(world: World, step: Step): Promise<void> {
  ids += 1;
  switch (step.type) {
    case 'hold': {
      const turn = {
        caller: world.caller,
        inferenceId: `books-${ids}`,
        clientRequestId: undefined,
        modelId: 'moonshot/kimi-k2-turbo-preview',
        promptTokens: step.promptTokens,
        outputTokensMax: step.outputTokensMax,
        choiceCount: 1,
        feesMax: { webSearches: 2, cacheHits: 1 },
      };
      const hold = await world.meter.open(turn).catch((thrown: { code?: string }) => {
        expect(['insufficient_balance', 'key_limit_reached']).toContain(thrown.code);
        return undefined;
      });
      if (hold !== undefined) {
        world.open.push({ hold, promptTokens: step.promptTokens });
      }
      return;
    }
    case 'settle': {
      const [turn] = world.open.splice(step.turn % Math.max(1, world.open.length), 1);
      const completionTokens = Math.floor(((turn?.hold.outputTokensMax ?? 0) * step.share) / 100);
      await turn?.hold.settle({
        usage: {
          promptTokens: turn.promptTokens,
          cachedTokens: Math.floor((turn.promptTokens * step.share) / 100),
          completionTokens,
          source: 'engine',
          fees: { webSearches: step.turn % 3, cacheHits: step.turn % 2 },
        },
        status: 'succeeded',
        timeToFirstTokenMs: undefined,
        durationMs: 1,
      });
      return;
    }
    case 'release': {
      const [turn] = world.open.splice(step.turn % Math.max(1, world.open.length), 1);
      await turn?.hold.release({ errorCode: 'engine_failed', durationMs: 1 });
      return;
    }
    case 'top-up':
    case 'refund':
      await world.store.commit(
        bookTopUp({
          account: { id: world.caller.accountId },
          type: step.type === 'refund' ? 'REFUND' : 'BONUS',
          amountNanoUsd: step.amountNanoUsd,
          createdAt: world.now,
        }),
      );
      return;
    case 'resource-hold': {
      const holdId = `hold-${ids}`;
      const hold = { holdId, amountNanoUsd: step.amountNanoUsd, expiresAt: world.now + 90_000 };
      await createResourceBilling(world.store, () => world.now)
        .reserve(resourceOf(world), hold)
        .then(() => world.resourceHolds.push({ holdId, amountNanoUsd: step.amountNanoUsd }))
        .catch((thrown: { code?: string }) => {
          expect(['insufficient_balance', 'key_limit_reached']).toContain(thrown.code);
        });
      return;
    }
    case 'resource-settle':
    case 'resource-release': {
      const billing = createResourceBilling(world.store, () => world.now);
      const held = world.resourceHolds.pop();
      if (held === undefined) return;
      const { holdId, amountNanoUsd } = held;
      if (step.type === 'resource-release') await billing.release(holdId);
      else {
        // Sometimes more than was held, and sometimes after the hold has expired: both may be refused.
        const costNanoUsd = (amountNanoUsd * BigInt(step.share)) / 100n;
        const charge = {
          onceKey: holdId,
          kind: 'cache_storage',
          costNanoUsd,
          priceId: 1,
          tokens: 1,
        } as const;
        await billing.settle({ resource: resourceOf(world), holdId, charge });
      }
      return;
    }
    case 'crash':
      // The process is gone with all its turns; its lease runs out before the next one starts.
      world.now += 60_000;
      world.open = [];
      await world.meter.close();
      world.meter = await openLedgerMeter(world.store, { now: () => world.now });
      return;
    default:
      step satisfies never;
  }
}

describe.each(storeKinds)('the books on %s', (kind) => {
  it('balance after every sequence of hold, settle, release, top-up, refund, resource and crash', {
    timeout: 120_000,
  }, async () => {
    const store = await openTestStore(kind);
    const account = await createAccount(store, {
      email: 'books@example.org',
      password: 'long enough',
      isAdmin: false,
      openingCreditNanoUsd: 100_000_000n,
    });
    const { key } = await createKey(store, {
      accountId: account.id,
      limit: { retention: 'day', thresholdNanoUsd: 200_000_000n },
    });
    const caller: Caller = {
      accountId: account.id,
      keyId: key.id,
      keyPrefix: key.prefix,
      scopes: null,
      origin: 'api',
    };
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), async (steps) => {
        const meter = await openLedgerMeter(store, { now: () => 0 });
        const world: World = { store, caller, now: 0, open: [], resourceHolds: [], meter };
        for (const step of steps) {
          await runStep(world, step);
        }
        expect((await verifyLedger(store)).problems).toEqual([]);
        await world.meter.close();
      }),
      { numRuns: 30 },
    );
    const { balance_nano_usd: balance } = await store.db
      .selectFrom('balances')
      .select('balance_nano_usd')
      .executeTakeFirstOrThrow();
    expect(balance).toBeGreaterThanOrEqual(0n);
  });
});
