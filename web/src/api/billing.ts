/** Balance and ledger of the account: `/v2/billing…`. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type CursorPage, walkByCursor } from './cursor-page.ts';
import { request } from './request.ts';

export const transactionTypes = [
  'MODEL_USAGE',
  'PAYMENT',
  'BONUS',
  'REFUND',
  'ADJUSTMENT',
  'CREDITS_EXPIRED',
  'INIT',
] as const;
export type TransactionType = (typeof transactionTypes)[number];

export interface Transaction {
  readonly created_at: string;
  readonly direction: 'TOPUP' | 'CHARGE';
  readonly type: TransactionType;
  readonly amount: { readonly usd: number; readonly credits: number };
  readonly model: string | null;
  readonly reference_id: string | null;
}

const pageSize = 100;

/** Newest first, page by page. */
export const transactionsQuery = (filter: { readonly type?: TransactionType | undefined }) =>
  infiniteQueryOptions({
    queryKey: ['transactions', filter],
    queryFn: ({ signal, pageParam }) =>
      request<CursorPage<Transaction>>('/v2/billing/transactions', {
        signal,
        query: { type: filter.type, limit: pageSize, cursor: pageParam },
      }),
    ...walkByCursor,
  });

export interface BalanceState {
  readonly balance: number;
  readonly lowBalance: boolean;
}

/** In credits, and whether it is low. */
export const balanceStateQuery = queryOptions({
  queryKey: ['balance-state'],
  queryFn: ({ signal }) => request<BalanceState>('/v1/billing/balance', { signal }),
});
