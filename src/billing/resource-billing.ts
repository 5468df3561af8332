/**
 * Charges that belong to no turn: what a context cache costs to create and to keep. The same money as a turn's
 * (hold, then charge or release), booked by the owner of the resource together with its own rows.
 */
import { ApiError } from '../errors.ts';
import type { Statement, Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import type { ResourceChargeKind } from '../store/tables.ts';
import { recordResourceUsage } from '../usage/record-usage.ts';
import { readFreeAmount } from './free-amount.ts';
import { type ChargeRefusal, chargeMoney, giveBackMoney, type HoldRefusal } from './hold-statements.ts';
import {
  deleteResourceHold,
  findResourceHold,
  openResourceHold,
  type Resource,
  type ResourceHold,
} from './resource-holds.ts';

export interface ResourceCharge {
  /** Unique for ever, such as `<cache id>:storage:<from second>`: a second booking is refused. */
  readonly onceKey: string;
  readonly kind: ResourceChargeKind;
  /** 0n is booked as well: it leaves no transaction, and its once key is taken. */
  readonly costNanoUsd: bigint;
  /** The price version that explains the cost; null = the model is free. */
  readonly priceId: number | null;
  readonly tokens: number;
}

export interface ResourceSettlement {
  readonly resource: Resource;
  /** The hold that the charge ends; what goes beyond it, or has none (after a downtime), is paid from free money. */
  readonly holdId?: string;
  readonly charge: ResourceCharge;
  /** Opened in the same group, such as the next hour's. */
  readonly next?: ResourceHold;
  /** The owner's own rows, written with the money or not at all. */
  readonly also?: readonly Statement<'resource_changed'>[];
}

/**
 * `insufficient_balance` and `key_limit_reached` are about what is not covered by the hold, and about `next`;
 * `resource_changed` is the owner's own guard.
 */
export type SettlementRefusal = 'not_held' | 'already_charged' | 'resource_changed' | HoldRefusal;

export type SettlementResult =
  | { readonly isBooked: true }
  /** Nothing was written. */
  | { readonly isBooked: false; readonly reason: SettlementRefusal };

export interface ResourceBilling {
  /**
   * Throws ApiError `insufficient_balance` or `key_limit_reached`. False: the owner's own guard in `also` refused, and
   * nothing was written.
   */
  reserve(
    resource: Resource,
    hold: ResourceHold,
    also?: readonly Statement<'resource_changed'>[],
  ): Promise<boolean>;
  /** Hold, charge, transaction, spend and the owner's rows in one durable group. */
  settle(settlement: ResourceSettlement): Promise<SettlementResult>;
  /** Ends a hold without a charge. False: it had ended before, or `also` was refused; nothing was written. */
  release(holdId: string, also?: readonly Statement<'resource_changed'>[]): Promise<boolean>;
  /** What the account and (when it has a limit) the key may still spend, in nano-dollars. */
  free(resource: Pick<Resource, 'accountId' | 'keyId'>): Promise<bigint>;
}

/** `now` in milliseconds since 1970. */
export function createResourceBilling(store: Store, now: () => number): ResourceBilling {
  return {
    reserve: async (resource, hold, also = []) => {
      const group = [...openResourceHold(resource, hold, now()), ...also];
      const result = await store.commit<HoldRefusal | 'resource_changed'>(group);
      if (result.isCommitted) return true;
      if (result.reason === 'resource_changed') return false;
      throw new ApiError(result.reason);
    },
    settle: async (settlement) => await settle(store, settlement, now()),
    release: async (holdId, also = []) => {
      const money = await findResourceHold(store, holdId);
      if (money === undefined) return false;
      const group = [deleteResourceHold(holdId, money.amountNanoUsd), ...giveBackMoney(money), ...also];
      return (await store.commit(group)).isCommitted;
    },
    free: async (payer) => (await readFreeAmount(store, payer, now())).amountNanoUsd,
  };
}

async function settle(store: Store, settlement: ResourceSettlement, at: number): Promise<SettlementResult> {
  const group = await groupOf(store, settlement, at);
  if (group === undefined) return { isBooked: false, reason: 'not_held' };
  try {
    const result = await store.commit<SettlementRefusal | ChargeRefusal>(group);
    if (result.isCommitted) return { isBooked: true };
    const { reason } = result;
    return { isBooked: false, reason: reason === 'cost_exceeds_balance' ? 'insufficient_balance' : reason };
  } catch (thrown) {
    // The once keys are the only unique columns that a settlement of an open hold can meet.
    if (thrown instanceof StoreError && thrown.kind === 'unique') {
      return { isBooked: false, reason: 'already_charged' };
    }
    throw thrown;
  }
}

/** Undefined when the hold has ended. */
async function groupOf(
  store: Store,
  { resource, holdId, charge, next, also = [] }: ResourceSettlement,
  at: number,
): Promise<readonly Statement<SettlementRefusal | ChargeRefusal>[] | undefined> {
  const { resourceId, accountId, keyId, modelId } = resource;
  const { onceKey, costNanoUsd } = charge;
  const held = holdId === undefined ? 0n : (await findResourceHold(store, holdId))?.amountNanoUsd;
  if (held === undefined) return undefined;
  return [
    ...(holdId === undefined ? [] : [deleteResourceHold(holdId, held)]),
    ...chargeMoney(
      { accountId, keyId, amountNanoUsd: held },
      { costNanoUsd, modelId, referenceId: resourceId, onceKey: `resource:${onceKey}`, at },
    ),
    ...recordResourceUsage({ ...charge, resourceId, accountId, keyId, modelId, createdAt: at }),
    ...(next === undefined ? [] : openResourceHold(resource, next, at)),
    ...also,
  ];
}
