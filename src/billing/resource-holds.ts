/** The SQL of money reserved for resources (context caches): beside turns, and longer than a process lives. */
import { type Statement, type Store, statement } from '../store/store.ts';
import { giveBackMoney, type HeldMoney, type HoldRefusal, reserveMoney } from './hold-statements.ts';

/** What the money is for. */
export interface Resource {
  /** The `reference_id` of its charges, such as a cache's id. */
  readonly resourceId: string;
  readonly accountId: number;
  /** Whose limit it counts against, and whose spend reports add it to. */
  readonly keyId: number;
  readonly modelId: string;
}

export interface ResourceHold {
  /** Unique among the open ones; its owner chooses it. */
  readonly holdId: string;
  readonly amountNanoUsd: bigint;
  /** Milliseconds; from then on it is given back by whoever notices. */
  readonly expiresAt: number;
}

export function openResourceHold(
  resource: Resource,
  hold: ResourceHold,
  at: number,
): readonly Statement<HoldRefusal>[] {
  const { accountId, keyId } = resource;
  return [
    ...reserveMoney({ accountId, keyId, amountNanoUsd: hold.amountNanoUsd }, at),
    statement(
      `insert into resource_holds
         (hold_id, resource_id, account_id, key_id, model_id, amount_nano_usd, created_at, expires_at)
       values (?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        hold.holdId,
        resource.resourceId,
        accountId,
        keyId,
        resource.modelId,
        hold.amountNanoUsd,
        at,
        hold.expiresAt,
      ],
    ),
  ];
}

/** Guard reason: it has ended before. The money is still to be charged or given back. */
export function deleteResourceHold(holdId: string, amountNanoUsd: bigint): Statement<'not_held'> {
  return statement(
    'delete from resource_holds where hold_id = ? and amount_nano_usd = ?',
    [holdId, amountNanoUsd],
    {
      rows: 1,
      otherwise: 'not_held',
    },
  );
}

/** Undefined when it has ended. */
export async function findResourceHold(store: Store, holdId: string): Promise<HeldMoney | undefined> {
  const row = await store.db
    .selectFrom('resource_holds')
    .select(['account_id', 'key_id', 'amount_nano_usd'])
    .where('hold_id', '=', holdId)
    .executeTakeFirst();
  return row && { accountId: row.account_id, keyId: row.key_id, amountNanoUsd: row.amount_nano_usd };
}

/** Gives back what nobody settled in time. Returns how many. */
export async function releaseExpiredResourceHolds(store: Store, now: number): Promise<number> {
  const expired = await store.db
    .selectFrom('resource_holds')
    .select(['hold_id', 'account_id', 'key_id', 'amount_nano_usd'])
    .where('expires_at', '<=', now)
    .execute();
  const released = await Promise.all(
    expired.map(async (row) => {
      const money = { accountId: row.account_id, keyId: row.key_id, amountNanoUsd: row.amount_nano_usd };
      // Refused when its owner or another replica was quicker.
      const { isCommitted } = await store.commit([
        deleteResourceHold(row.hold_id, row.amount_nano_usd),
        ...giveBackMoney(money),
      ]);
      return isCommitted;
    }),
  );
  return released.filter(Boolean).length;
}
