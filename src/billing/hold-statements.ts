/** The SQL of holds: reserve, charge, give back. Balance first, then key, in every group: no deadlocks. */
import { type Statement, statement } from '../store/store.ts';
import { findWindowStarts } from './limit-windows.ts';

/** An amount of an account that one of its keys has reserved. */
export interface HeldMoney {
  readonly accountId: number;
  readonly keyId: number;
  readonly amountNanoUsd: bigint;
}

/** Money reserved for one turn. */
export interface HeldAmount extends HeldMoney {
  readonly inferenceId: string;
}

export interface NewHold extends HeldAmount {
  readonly serverId: string;
  readonly modelId: string;
  /** Milliseconds. */
  readonly createdAt: number;
}

export type HoldRefusal = 'insufficient_balance' | 'key_limit_reached';

/** The start of the key's own period at a moment; `?` × 3: day, week, month. */
const windowStartSql = `case limit_retention when 'day' then ? when 'week' then ? when 'month' then ? else cast(0 as bigint) end`;

/** What the key has spent in the period that begins there: a period that is over counts nothing. */
const spentSql = `case when window_started_at < (${windowStartSql}) then 0 else window_spent_nano_usd end`;

// Put together once: a text made anew for every turn would be hashed anew wherever texts are compared.
const reserveOfKeySql = `update api_keys set window_held_nano_usd = window_held_nano_usd + ?
  where id = ? and (limit_threshold_nano_usd is null
    or (${spentSql}) + window_held_nano_usd + ? <= limit_threshold_nano_usd)`;
const chargeKeySql = `update api_keys set window_held_nano_usd = window_held_nano_usd - ?,
    window_spent_nano_usd = (${spentSql}) + ?,
    window_started_at = case when window_started_at < (${windowStartSql}) then (${windowStartSql})
      else window_started_at end
  where id = ?`;

const windowStartsAt = (at: number): readonly number[] => {
  const { day, week, month } = findWindowStarts(at);
  return [day, week, month];
};

/**
 * Reserves an amount when both the account's balance and the key's limit allow it. Each check is part of the
 * update that takes the money, so a thousand parallel holds cannot pass it together.
 */
export function reserveMoney(money: HeldMoney, at: number): readonly Statement<HoldRefusal>[] {
  return [
    statement(
      `update balances set held_nano_usd = held_nano_usd + ?
       where account_id = ? and balance_nano_usd - held_nano_usd >= ?`,
      [money.amountNanoUsd, money.accountId, money.amountNanoUsd],
      { rows: 1, otherwise: 'insufficient_balance' },
    ),
    statement(
      reserveOfKeySql,
      [money.amountNanoUsd, money.keyId, ...windowStartsAt(at), money.amountNanoUsd],
      {
        rows: 1,
        otherwise: 'key_limit_reached',
      },
    ),
  ];
}

/** Opens the hold of a turn. */
export function reserveHold(hold: NewHold): readonly Statement<HoldRefusal>[] {
  return [
    ...reserveMoney(hold, hold.createdAt),
    statement(
      `insert into holds (inference_id, server_id, account_id, key_id, model_id, amount_nano_usd, created_at)
       values (?, ?, ?, ?, ?, ?, ?)`,
      [
        hold.inferenceId,
        hold.serverId,
        hold.accountId,
        hold.keyId,
        hold.modelId,
        hold.amountNanoUsd,
        hold.createdAt,
      ],
    ),
  ];
}

/** What is free to be held: asked only after a refusal, to lower the hold to what fits. */
export function readFreeAmounts(accountId: number, keyId: number, at: number): Statement {
  return statement(
    `select balances.balance_nano_usd - balances.held_nano_usd as account_free_nano_usd,
       api_keys.limit_threshold_nano_usd - (${spentSql}) - api_keys.window_held_nano_usd as key_free_nano_usd
     from balances, api_keys where balances.account_id = ? and api_keys.id = ?`,
    [...windowStartsAt(at), accountId, keyId],
  );
}

/** Frees what was reserved. */
export function giveBackMoney(money: HeldMoney): readonly Statement<never>[] {
  return [
    statement('update balances set held_nano_usd = held_nano_usd - ? where account_id = ?', [
      money.amountNanoUsd,
      money.accountId,
    ]),
    statement('update api_keys set window_held_nano_usd = window_held_nano_usd - ? where id = ?', [
      money.amountNanoUsd,
      money.keyId,
    ]),
  ];
}

/** Ends a hold without a charge. Guard reason: it has ended before. */
export function giveBackHold(hold: HeldAmount): readonly Statement<'not_held'>[] {
  return [deleteHold(hold), ...giveBackMoney(hold)];
}

export interface UsageCharge {
  readonly costNanoUsd: bigint;
  readonly modelId: string;
  /** The inference, or the resource. */
  readonly referenceId: string;
  /** Refuses a second booking; null where another table's key does. */
  readonly onceKey: string | null;
  /** When it is booked, in milliseconds: decides the key's period. */
  readonly at: number;
}

/** `cost_exceeds_balance` would be a defect: whatever is charged was reserved before. */
export type ChargeRefusal = HoldRefusal | 'cost_exceeds_balance';

/**
 * Charges what was reserved (or more, or less): balance, key counter and ledger entry. What the cost has above the
 * reserved amount is reserved first, so that balance and key limit are asked as for everything else.
 */
export function chargeMoney(held: HeldMoney, charge: UsageCharge): readonly Statement<ChargeRefusal>[] {
  const { accountId, keyId } = held;
  const { costNanoUsd } = charge;
  const uncovered = costNanoUsd > held.amountNanoUsd ? costNanoUsd - held.amountNanoUsd : 0n;
  const amountNanoUsd = held.amountNanoUsd + uncovered;
  const starts = windowStartsAt(charge.at);
  return [
    ...(uncovered === 0n ? [] : reserveMoney({ accountId, keyId, amountNanoUsd: uncovered }, charge.at)),
    statement(
      `update balances set balance_nano_usd = balance_nano_usd - ?, held_nano_usd = held_nano_usd - ?
       where account_id = ? and balance_nano_usd - ? >= held_nano_usd - ?`,
      [costNanoUsd, amountNanoUsd, accountId, costNanoUsd, amountNanoUsd],
      { rows: 1, otherwise: 'cost_exceeds_balance' },
    ),
    statement(chargeKeySql, [amountNanoUsd, ...starts, costNanoUsd, ...starts, ...starts, keyId]),
    ...(costNanoUsd === 0n
      ? []
      : [
          statement(
            `insert into ledger_transfers
               (account_id, counterpart, direction, type, amount_nano_usd, model_id, reference_id, once_key, created_at)
             values (?, 'revenue', 'CHARGE', 'MODEL_USAGE', ?, ?, ?, ?, ?)`,
            [accountId, costNanoUsd, charge.modelId, charge.referenceId, charge.onceKey, charge.at],
          ),
        ]),
  ];
}

/** Ends the hold of a turn with its charge. What the cost has above it must be free, as for a hold. */
export function chargeHold(
  hold: HeldAmount,
  charge: Pick<UsageCharge, 'costNanoUsd' | 'modelId' | 'at'>,
): readonly Statement<'not_held' | ChargeRefusal>[] {
  return [
    deleteHold(hold),
    // A second charge of one inference is refused by the key of its usage row.
    ...chargeMoney(hold, { ...charge, referenceId: hold.inferenceId, onceKey: null }),
  ];
}

function deleteHold(hold: HeldAmount): Statement<'not_held'> {
  return statement('delete from holds where inference_id = ?', [hold.inferenceId], {
    rows: 1,
    otherwise: 'not_held',
  });
}
