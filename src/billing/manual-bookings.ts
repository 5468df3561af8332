/** What an administrator books by hand: credit, payments, corrections, and charges given back. */
import { ApiError } from '../errors.ts';
import { type Statement, type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { type LedgerLine, readLedgerLines } from './account-ledger.ts';
import { bookTopUp, type TopUpRefusal } from './ledger.ts';
import { formatUsd, nanoUsdMax } from './money.ts';

interface Booking {
  readonly accountId: number;
  readonly note: string | null;
  /** The administrator's; null for the command line. */
  readonly bookedByAccountId: number | null;
}

export interface Grant extends Booking {
  readonly type: 'BONUS' | 'PAYMENT' | 'ADJUSTMENT';
  /** Below zero for an ADJUSTMENT only: it takes money that is not held. */
  readonly amountNanoUsd: bigint;
  /** The payment's id elsewhere. */
  readonly referenceId: string | null;
  /** Chosen by whoever asks: the same key never books twice. */
  readonly onceKey: string;
}

export interface Refund extends Booking {
  /** What was charged: an inference, or a context cache, which is charged again and again. */
  readonly inferenceId: string;
}

export interface BookingResult {
  readonly transferId: number;
  /** True: it was booked before under the same key, and nothing was booked now. */
  readonly isRepeat: boolean;
}

export interface ManualBookings {
  /**
   * Throws ApiError `not_found` (no such account), `conflict` (the key was used for something else, or the account
   * has less than is taken), `invalid_request` (an amount that makes no sense, or that no balance can hold).
   */
  grant(grant: Grant): Promise<BookingResult>;
  /**
   * Gives back what was charged and not given back before. Throws ApiError `not_found` (no such charge), `conflict`
   * (all of it was given back already).
   */
  refund(refund: Refund): Promise<BookingResult>;
  /** An account's ledger, newest first: `limit` entries before `beforeId`. */
  list(
    accountId: number,
    page: { readonly limit: number; readonly beforeId: number | undefined },
  ): Promise<readonly LedgerLine[]>;
}

type Reason = TopUpRefusal | 'insufficient';

export function createManualBookings(store: Store, now: () => number = Date.now): ManualBookings {
  return {
    grant: async (grant) => {
      if (grant.amountNanoUsd === 0n || (grant.amountNanoUsd < 0n && grant.type !== 'ADJUSTMENT')) {
        throw new ApiError('invalid_request', {
          message: 'Invalid request: amount_usd: must be above zero; an ADJUSTMENT may also be below.',
          param: 'amount_usd',
        });
      }
      const onceKey = `grant:${grant.accountId}:${grant.onceKey}`;
      const statements =
        grant.amountNanoUsd > 0n ? credit(grant, onceKey, now()) : take(grant, onceKey, now());
      return await book(store, onceKey, { statements, expected: grant });
    },
    refund: async (refund) => {
      const { remainingNanoUsd, refundCount } = await readCharges(store, refund);
      if (remainingNanoUsd === 0n) throw givenBack();
      // The number makes two refunds at once one: both have counted as many before them.
      const onceKey = `refund:${refund.inferenceId}${refundCount === 0 ? '' : `:${refundCount}`}`;
      const { accountId, note, bookedByAccountId } = refund;
      const booked = await book(store, onceKey, {
        statements: bookTopUp({
          account: { id: accountId },
          type: 'REFUND',
          amountNanoUsd: remainingNanoUsd,
          referenceId: refund.inferenceId,
          onceKey,
          note,
          bookedByAccountId,
          createdAt: now(),
        }),
      });
      if (booked.isRepeat) throw givenBack();
      return booked;
    },
    list: async (accountId, page) => await readLedgerLines(store, accountId, page),
  };
}

function credit(grant: Grant, onceKey: string, createdAt: number): readonly Statement<Reason>[] {
  const { type, amountNanoUsd, note, bookedByAccountId, referenceId } = grant;
  return bookTopUp({
    account: { id: grant.accountId },
    type,
    amountNanoUsd,
    onceKey,
    note,
    bookedByAccountId,
    createdAt,
    ...(referenceId !== null && { referenceId }),
  });
}

/** Money out. First the balance: it locks the row, and refuses what running turns have reserved. */
function take(grant: Grant, onceKey: string, createdAt: number): readonly Statement<Reason>[] {
  const amountNanoUsd = -grant.amountNanoUsd;
  return [
    statement('select id from accounts where id = ?', [grant.accountId], {
      rows: 1,
      otherwise: 'account_not_found',
    }),
    statement(
      `update balances set balance_nano_usd = balance_nano_usd - ?
       where account_id = ? and balance_nano_usd - held_nano_usd >= ?`,
      [amountNanoUsd, grant.accountId, amountNanoUsd],
      { rows: 1, otherwise: 'insufficient' },
    ),
    statement(
      `insert into ledger_transfers
         (account_id, counterpart, direction, type, amount_nano_usd, reference_id, once_key, note,
          booked_by_account_id, created_at)
       values (?, 'grants', 'CHARGE', ?, ?, ?, ?, ?, ?, ?)`,
      [
        grant.accountId,
        grant.type,
        amountNanoUsd,
        grant.referenceId,
        onceKey,
        grant.note,
        grant.bookedByAccountId,
        createdAt,
      ],
    ),
  ];
}

interface Expected {
  readonly type: string;
  readonly amountNanoUsd: bigint;
}

async function book(
  store: Store,
  onceKey: string,
  {
    statements,
    expected,
  }: {
    readonly statements: readonly Statement<Reason>[];
    /** What a key that the caller chose must have been used for; without it the key says so itself. */
    readonly expected?: Expected;
  },
): Promise<BookingResult> {
  let isRepeat = false;
  try {
    const booked = await store.commit(statements);
    if (!booked.isCommitted) throw refusal(booked.reason);
  } catch (thrown) {
    if (!(thrown instanceof StoreError && thrown.kind === 'unique')) throw thrown;
    isRepeat = true;
  }
  const row = await store.db
    .selectFrom('ledger_transfers')
    .select(['id', 'type', 'direction', 'amount_nano_usd'])
    .where('once_key', '=', onceKey)
    .executeTakeFirstOrThrow();
  const amountNanoUsd = row.direction === 'TOPUP' ? row.amount_nano_usd : -row.amount_nano_usd;
  if (expected !== undefined && (row.type !== expected.type || amountNanoUsd !== expected.amountNanoUsd)) {
    throw new ApiError('conflict', {
      message: 'This once_key was used for another booking.',
      param: 'once_key',
    });
  }
  return { transferId: row.id, isRepeat };
}

function refusal(reason: Reason): ApiError {
  switch (reason) {
    case 'account_not_found':
      return new ApiError('not_found', { message: 'There is no such account.' });
    case 'balance_too_large':
      return new ApiError('invalid_request', {
        message: `Invalid request: amount_usd: the balance would exceed ${formatUsd(nanoUsdMax)} USD, the most that an account can have.`,
        param: 'amount_usd',
      });
    case 'insufficient':
      return new ApiError('conflict', {
        message: 'The account has less than that, beside what its running turns hold.',
      });
    default:
      return reason satisfies never;
  }
}

const givenBack = (): ApiError =>
  new ApiError('conflict', { message: 'This charge was given back already.' });

/** In one statement, so that what was charged and what was given back are of one moment. */
async function readCharges(
  store: Store,
  refund: Refund,
): Promise<{ readonly remainingNanoUsd: bigint; readonly refundCount: number }> {
  const rows = await store.db
    .selectFrom('ledger_transfers')
    .select((select) => [
      'type',
      select.fn.sum<bigint>('amount_nano_usd').as('total_nano_usd'),
      select.fn.countAll<number>().as('count'),
    ])
    .where('account_id', '=', refund.accountId)
    .where('reference_id', '=', refund.inferenceId)
    .where('type', 'in', ['MODEL_USAGE', 'REFUND'])
    .groupBy('type')
    .execute();
  const charged = rows.find(({ type }) => type === 'MODEL_USAGE');
  if (charged === undefined) throw new ApiError('not_found', { message: 'This account has no such charge.' });
  const refunded = rows.find(({ type }) => type === 'REFUND');
  return {
    remainingNanoUsd: charged.total_nano_usd - (refunded?.total_nano_usd ?? 0n),
    refundCount: refunded?.count ?? 0,
  };
}
