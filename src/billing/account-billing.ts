/** What an account may see of its money: the balance, and the ledger page by page. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Selectable } from 'kysely';
import { ApiError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Tables, TransferType } from '../store/tables.ts';

export interface AccountBalance {
  /** What all entries of the ledger add up to, in nano-dollars. */
  readonly balanceNanoUsd: bigint;
  /** The part of it that running turns have reserved. */
  readonly heldNanoUsd: bigint;
}

/** One movement of money. */
export interface Transfer {
  readonly direction: 'TOPUP' | 'CHARGE';
  readonly type: TransferType;
  /** Above zero. */
  readonly amountNanoUsd: bigint;
  readonly modelId: string | null;
  readonly referenceId: string | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface TransferFilter {
  /** At or after, in milliseconds. */
  readonly from?: number | undefined;
  /** Before. */
  readonly to?: number | undefined;
  readonly direction?: Transfer['direction'] | undefined;
  readonly type?: TransferType | undefined;
  /** Entries per page. */
  readonly limit: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

export interface TransferPage {
  /** Newest first. */
  readonly transfers: readonly Transfer[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

export interface AccountBilling {
  balance(accountId: number): Promise<AccountBalance>;
  /** Throws ApiError `invalid_request` for a cursor that was not issued to this account in this form. */
  listTransfers(accountId: number, filter: TransferFilter): Promise<TransferPage>;
}

export function createAccountBilling(store: Store): AccountBilling {
  return {
    balance: async (accountId) => {
      const row = await store.db
        .selectFrom('balances')
        .select(['balance_nano_usd', 'held_nano_usd'])
        .where('account_id', '=', accountId)
        .executeTakeFirstOrThrow();
      return { balanceNanoUsd: row.balance_nano_usd, heldNanoUsd: row.held_nano_usd };
    },
    listTransfers: async (accountId, filter) => {
      const sealKey = await readSealKey(store, accountId);
      const beforeId = filter.cursor === undefined ? undefined : openCursor(filter.cursor, sealKey);
      // One more than asked for tells whether there is another page.
      const rows = await readTransfers(store, accountId, { ...filter, limit: filter.limit + 1, beforeId });
      const page = rows.slice(0, filter.limit);
      const last = rows.length > filter.limit ? page.at(-1) : undefined;
      return {
        transfers: page.map(decodeTransfer),
        nextCursor: last === undefined ? null : issueCursor(last.id, sealKey),
      };
    },
  };
}

type TransferRow = Selectable<Tables['ledger_transfers']>;

async function readTransfers(
  store: Store,
  accountId: number,
  filter: Omit<TransferFilter, 'cursor'> & { readonly beforeId: number | undefined },
): Promise<readonly TransferRow[]> {
  let query = store.db.selectFrom('ledger_transfers').selectAll().where('account_id', '=', accountId);
  if (filter.beforeId !== undefined) query = query.where('id', '<', filter.beforeId);
  if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('created_at', '<', filter.to);
  if (filter.direction !== undefined) query = query.where('direction', '=', filter.direction);
  if (filter.type !== undefined) query = query.where('type', '=', filter.type);
  return await query.orderBy('id', 'desc').limit(filter.limit).execute();
}

function decodeTransfer(row: TransferRow): Transfer {
  return {
    direction: row.direction,
    type: row.type,
    amountNanoUsd: row.amount_nano_usd,
    modelId: row.model_id,
    referenceId: row.reference_id,
    createdAt: row.created_at,
  };
}

/**
 * What an account's cursors are sealed with: random, the same in every replica, and never shown to callers of the
 * API. The seal only keeps made-up positions out; a page shows the caller's own account whatever the cursor says.
 */
async function readSealKey(store: Store, accountId: number): Promise<string> {
  const { owner_user_id: ownerUserId } = await store.db
    .selectFrom('accounts')
    .select('owner_user_id')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  return ownerUserId;
}

/** `<position>.<seal>`, base64url: the position is the id of the last entry that was shown. */
function issueCursor(id: number, sealKey: string): string {
  const position = Buffer.from(`1:${id}`).toString('base64url');
  return `${position}.${sealOf(position, sealKey)}`;
}

function sealOf(position: string, sealKey: string): string {
  return createHmac('sha256', sealKey).update(`transfers:${position}`).digest('base64url');
}

function openCursor(cursor: string, sealKey: string): number {
  const position = cursor.split('.', 1)[0] ?? '';
  const issued = Buffer.from(`${position}.${sealOf(position, sealKey)}`);
  const given = Buffer.from(cursor);
  const match = /^1:(\d{1,15})$/.exec(Buffer.from(position, 'base64url').toString());
  if (given.length !== issued.length || !timingSafeEqual(given, issued) || match === null) {
    throw new ApiError('invalid_request', {
      message:
        'Query validation error: cursor: is accepted only as it was issued; use `pagination.next_cursor` of the previous page',
      param: 'cursor',
    });
  }
  return Number(match[1]);
}
