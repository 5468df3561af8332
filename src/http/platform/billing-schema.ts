/** Balances and transactions on the wire. */
import { z } from 'zod';
import type { Transfer } from '../../billing/account-billing.ts';
import { toCredits, toUsdNumber } from '../../billing/money.ts';
import { encodeTime } from '../encode-time.ts';
import { momentWithOffset } from './parse-query.ts';

const currency = z.literal('USD').describe('Always USD.');
const currentBalance = z
  .number()
  .describe('Current balance in USD, with what running requests have reserved.');

export const balanceSchema = z.object({ current_balance: currentBalance, currency });

export const billingDetailSchema = z.object({
  user_id: z.int().describe('Number of the account.'),
  email: z.string().describe('E-mail address of its owner.'),
  current_balance: currentBalance,
  currency,
  autotopup_settings: z.object({
    is_enabled: z.literal(false).describe('Auto top-up does not exist here.'),
    threshold: z.number().describe('Always 0.'),
    amount: z.number().describe('Always 0.'),
    currency,
  }),
});

export const legacyBalanceSchema = z.object({
  balance: z.int().describe('Credits of the account; 2,000,000 are one US dollar.'),
  lowBalance: z.boolean().describe('True when the balance is below the threshold.'),
  lowBalanceThreshold: z.int().describe('Below so many credits the balance is low.'),
  lastUpdated: z.iso.datetime().describe('The moment of this answer.'),
  autoDebitStatus: z.literal('disabled').describe('Auto top-up does not exist here.'),
  status: z.literal('current').describe('The balance is up to date in every answer.'),
  statusExplanation: z.string().describe('The same in words.'),
});

export const moonshotBalanceSchema = z.object({
  code: z.literal(0).describe('Always 0.'),
  data: z.object({
    available_balance: z.number().describe('What new requests may spend, in USD: without what is reserved.'),
    voucher_balance: z.number().describe('Always 0: credit is one sum here.'),
    cash_balance: z.number().describe('The same as `available_balance`.'),
  }),
  scode: z.literal('0x0').describe('Always 0x0.'),
  status: z.literal(true).describe('Always true.'),
});

const direction = z.enum(['TOPUP', 'CHARGE']);
const type = z.enum(['PAYMENT', 'BONUS', 'REFUND', 'ADJUSTMENT', 'MODEL_USAGE', 'CREDITS_EXPIRED', 'INIT']);

export const transactionsQuerySchema = z.object({
  from: momentWithOffset
    .optional()
    .describe('Only entries created at or after this moment (ISO 8601 with offset).'),
  to: momentWithOffset.optional().describe('Only entries created before this moment; later than `from`.'),
  direction: direction.optional().describe('Only money coming in (TOPUP) or going out (CHARGE).'),
  type: type.optional().describe('Only entries of this kind.'),
  limit: z.int().min(1).max(100).default(50).describe('Entries per page.'),
  cursor: z.string().optional().describe('`pagination.next_cursor` of the previous page, exactly as it was.'),
});

const transactionSchema = z.object({
  created_at: z.iso.datetime().describe('When the entry was recorded (UTC).'),
  direction: direction.describe('Which way the money moved.'),
  type: type.describe('What produced the entry.'),
  amount: z.object({
    usd: z.number().describe('In US dollars, above zero.'),
    credits: z.int().describe('The same in credits, rounded.'),
  }),
  model: z.string().nullable().describe('Model that produced the charge; null for other entries.'),
  reference_id: z
    .string()
    .nullable()
    .describe('Of MODEL_USAGE: the inference id. Of PAYMENT: the payment’s id.'),
});
export const transactionsSchema = z.object({
  data: z.array(transactionSchema).describe('Newest first.'),
  pagination: z.object({
    next_cursor: z.string().nullable().describe('Where the next page begins; null on the last page.'),
    has_more: z.boolean().describe('Whether another page follows.'),
  }),
});

export function encodeTransfer(transfer: Transfer): z.input<typeof transactionSchema> {
  return {
    created_at: encodeTime(transfer.createdAt),
    direction: transfer.direction,
    type: transfer.type,
    amount: {
      usd: toUsdNumber(transfer.amountNanoUsd),
      credits: Number(toCredits(transfer.amountNanoUsd)),
    },
    model: transfer.modelId,
    reference_id: transfer.referenceId,
  };
}
