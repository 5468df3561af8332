/**
 * What an object costs: its creation once per life, its storage by the second. An hour of storage is held ahead and
 * charged when it is over, or when the object ends. Money that is gone ends the object; no balance goes below zero.
 */
import type { PriceBook } from '../billing/price-book.ts';
import type { ResourceBilling, ResourceSettlement } from '../billing/resource-billing.ts';
import { affordableStorageSeconds, costOfCacheCreation, costOfCacheStorage } from '../billing/turn-cost.ts';
import type { Statement } from '../store/store.ts';
import { becomeReady, type CacheRow, continueStorage, endStorage } from './cache-rows.ts';
import { type CacheOwner, wholeSecond } from './context-cache.ts';

export interface CacheMoney {
  /** Holds what creating the object and the first hour will cost. False, and throws, as `ResourceBilling.reserve`. */
  reserveCreation(object: NewLife, also: readonly Statement<'resource_changed'>[]): Promise<boolean>;
  /** Charges the creation and begins the storage. False: the object is gone, or cannot be paid for. */
  beginStorage(row: CacheRow, computed: { readonly tokens: number }): Promise<'stored' | 'gone' | 'unpaid'>;
  /** Charges the storage up to now, or to the object's end, and holds the next hour. */
  settleStorage(row: CacheRow): Promise<'goes-on' | 'over' | 'changed'>;
  /** Charges the storage to the very moment; `also` is what ends the object, in the same group. */
  endStorage(row: CacheRow, also: readonly Statement<'resource_changed'>[]): Promise<'over' | 'changed'>;
  /** Gives back what was held for an object that never became ready. */
  releaseCreation(row: CacheRow, also: readonly Statement<'resource_changed'>[]): Promise<boolean>;
}

export interface NewLife extends CacheOwner {
  readonly id: string;
  readonly modelId: string;
  readonly life: number;
  readonly tokens: number;
  readonly expiresAt: number;
}

export interface CacheMoneyOptions {
  readonly billing: ResourceBilling;
  readonly prices: PriceBook;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const heldSecondsMax = 3_600;
/** A hold outlives its hour by so long: it is settled late rather than given back while the server is down. */
const holdGraceMs = 86_400_000;
/** Others may spend what was seen as free; then the object ends where its hold ends. */
const attemptsMax = 5;

export const creationHoldId = (id: string, life: number): string => `${id}:creation:${life}`;

export function createCacheMoney({ billing, prices, now }: CacheMoneyOptions): CacheMoney {
  return {
    async reserveCreation(object, also) {
      const price = await prices.find(object.modelId);
      const { tokens } = object;
      const seconds = Math.min(heldSecondsMax, secondsBetween(now(), object.expiresAt));
      const amountNanoUsd =
        costOfCacheCreation(price, tokens) +
        costOfCacheStorage(price, { tokens, fromSecond: 0, toSecond: seconds });
      const hold = {
        holdId: creationHoldId(object.id, object.life),
        amountNanoUsd,
        expiresAt: now() + holdGraceMs,
      };
      return await billing.reserve(resourceOf(object), hold, also);
    },
    async beginStorage(row, { tokens }) {
      const price = await prices.find(row.model_id);
      const at = wholeSecond(now());
      const heldSeconds = Math.min(heldSecondsMax, secondsBetween(at, row.expires_at));
      const holdId = storageHoldId(row, 0);
      const settlement: ResourceSettlement = {
        resource: resourceOfRow(row),
        charge: {
          onceKey: creationHoldId(row.id, row.life),
          kind: 'cache_creation',
          costNanoUsd: costOfCacheCreation(price, tokens),
          priceId: price.id,
          tokens,
        },
        next: {
          holdId,
          amountNanoUsd: costOfCacheStorage(price, { tokens, fromSecond: 0, toSecond: heldSeconds }),
          expiresAt: at + heldSeconds * 1_000 + holdGraceMs,
        },
        also: [becomeReady(row, { at, tokens, holdId, heldSeconds })],
      };
      const result = await settleHeldOrFree(billing, settlement, row.hold_id);
      if (result.isBooked) return 'stored';
      return result.reason === 'resource_changed' || result.reason === 'already_charged' ? 'gone' : 'unpaid';
    },
    async settleStorage(row) {
      const plan = { ...(await planFully(row)), also: undefined };
      return await settle(row, plan);
    },
    async endStorage(row, also) {
      const toSecond = Math.max(row.charged_seconds, lastSecond(row, now()));
      return (await settle(row, { toSecond, nextSeconds: 0, also })) === 'changed' ? 'changed' : 'over';
    },
    async releaseCreation(row, also) {
      return row.hold_id === null ? false : await billing.release(row.hold_id, also);
    },
  };

  /** As if money were no object. */
  async function planFully(row: CacheRow): Promise<Plan> {
    const toSecond = Math.max(row.charged_seconds, lastSecond(row, now()));
    const isOver = row.expires_at <= now();
    const rest = secondsBetween(row.stored_at ?? 0, row.expires_at) - toSecond;
    return { toSecond, nextSeconds: isOver ? 0 : Math.min(heldSecondsMax, rest) };
  }

  async function settle(row: CacheRow, first: Settling): Promise<'goes-on' | 'over' | 'changed'> {
    let plan: Plan = first;
    let hold = row.hold_id;
    for (let attempt = 0; ; attempt++) {
      const result = await billing.settle(await composeSettlement(row, hold, { ...first, ...plan }));
      if (result.isBooked) return plan.nextSeconds > 0 ? 'goes-on' : 'over';
      if (result.reason === 'resource_changed' || result.reason === 'already_charged') return 'changed';
      if (result.reason === 'not_held') hold = null;
      if (attempt > attemptsMax)
        throw new Error(`the storage of ${row.id} cannot be settled: ${result.reason}`);
      const free = attempt + 1 < attemptsMax ? await billing.free(resourceOfRow(row)) : 0n;
      plan = await planWithin(row, first, { free, isHeld: hold !== null });
      // A price that has risen may ask more of the last hour than was held: what nobody can pay is not charged.
      if (attempt === attemptsMax) plan = { toSecond: row.charged_seconds, nextSeconds: 0 };
    }
  }

  /** As far as the money reaches: what is held, then what is free. */
  async function planWithin(
    row: CacheRow,
    wanted: Plan,
    funds: { readonly free: bigint; readonly isHeld: boolean },
  ): Promise<Plan> {
    const price = await prices.find(row.model_id);
    const { tokens } = row;
    const reach = (fromSecond: number, secondsMax: number, nanoUsd: bigint): number =>
      secondsMax <= 0 ? 0 : affordableStorageSeconds(price, { tokens, fromSecond, secondsMax }, nanoUsd);
    const heldTo = Math.min(wanted.toSecond, funds.isHeld ? row.held_seconds : row.charged_seconds);
    const toSecond = heldTo + reach(heldTo, wanted.toSecond - heldTo, funds.free);
    if (toSecond < wanted.toSecond) return { toSecond, nextSeconds: 0 };
    const spent = costOfCacheStorage(price, { tokens, fromSecond: heldTo, toSecond });
    return { toSecond, nextSeconds: reach(toSecond, wanted.nextSeconds, funds.free - spent) };
  }

  async function composeSettlement(
    row: CacheRow,
    holdId: string | null,
    { toSecond, nextSeconds, also }: Settling,
  ): Promise<ResourceSettlement> {
    const price = await prices.find(row.model_id);
    const { tokens, charged_seconds: fromSecond } = row;
    const storedAt = row.stored_at ?? 0;
    const heldSeconds = toSecond + nextSeconds;
    const nextHoldId = storageHoldId(row, toSecond);
    const expiresAt = Math.min(row.expires_at, storedAt + toSecond * 1_000);
    const end = endStorage(row, { chargedSeconds: toSecond, expiresAt });
    const goOn = continueStorage(row, { chargedSeconds: toSecond, heldSeconds, holdId: nextHoldId });
    return {
      resource: resourceOfRow(row),
      ...(holdId !== null && { holdId }),
      charge: {
        onceKey: `${row.id}:storage:${row.life}:${fromSecond}-${toSecond}`,
        kind: 'cache_storage',
        costNanoUsd: costOfCacheStorage(price, { tokens, fromSecond, toSecond }),
        priceId: price.id,
        tokens,
      },
      ...(nextSeconds > 0 && {
        next: {
          holdId: nextHoldId,
          amountNanoUsd: costOfCacheStorage(price, { tokens, fromSecond: toSecond, toSecond: heldSeconds }),
          expiresAt: storedAt + heldSeconds * 1_000 + holdGraceMs,
        },
      }),
      also: also ?? [nextSeconds > 0 ? goOn : end],
    };
  }
}

interface Plan {
  /** Of the object's life. */
  readonly toSecond: number;
  /** To be held from there on; 0 = the object ends there. */
  readonly nextSeconds: number;
}

interface Settling extends Plan {
  /** Instead of the update of the row. */
  readonly also?: readonly Statement<'resource_changed'>[] | undefined;
}

/** The hold is given back while a server is down for days; then free money pays. */
async function settleHeldOrFree(
  billing: ResourceBilling,
  settlement: ResourceSettlement,
  holdId: string | null,
) {
  if (holdId !== null) {
    const result = await billing.settle({ ...settlement, holdId });
    if (result.isBooked || result.reason !== 'not_held') return result;
  }
  return await billing.settle(settlement);
}

const storageHoldId = (row: CacheRow, fromSecond: number): string =>
  `${row.id}:storage:${row.life}:${fromSecond}`;

/** The second of its life that an object has reached, or in which it ended. */
function lastSecond(row: CacheRow, now: number): number {
  return secondsBetween(row.stored_at ?? now, Math.min(now, row.expires_at));
}

const secondsBetween = (from: number, to: number): number => Math.max(0, Math.floor((to - from) / 1_000));

const resourceOf = ({ id, accountId, keyId, modelId }: NewLife) => ({
  resourceId: id,
  accountId,
  keyId,
  modelId,
});

const resourceOfRow = (row: CacheRow) => ({
  resourceId: row.id,
  accountId: row.account_id,
  keyId: row.key_id,
  modelId: row.model_id,
});
