/** Administration on the wire: what is asked, checked, and what is shown. */
import { z } from 'zod';
import type { AccountOverview } from '../../accounts/account-overviews.ts';
import type { Invite } from '../../accounts/invites.ts';
import type { LedgerLine } from '../../billing/account-ledger.ts';
import { toUsdNumber } from '../../billing/money.ts';
import type { ApiKey } from '../../keys/api-keys.ts';
import { encodeTime } from '../encode-time.ts';
import { emailField, nameField, newPasswordField } from './person-schema.ts';
import { usdField, usdFromZeroField } from './usd-field.ts';

const noteField = z.string().trim().max(500, 'may have at most 500 characters').nullable().default(null);

export const accountsQuerySchema = z.object({
  search: z.string().trim().max(254).optional(),
  state: z.enum(['active', 'disabled', 'awaits_approval']).optional(),
  limit: z.int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'use `pagination.next_cursor` of the previous page')
    .transform(Number)
    .optional(),
});

export const pageQuerySchema = accountsQuerySchema.pick({ limit: true, cursor: true });

export const newAccountSchema = z.object({
  email: emailField,
  password: newPasswordField,
  name: nameField.optional(),
  is_admin: z.boolean().default(false),
  credit_usd: usdFromZeroField.default(0n),
});

export const accountChangeSchema = z
  .object({
    disabled: z.boolean().optional(),
    is_admin: z.boolean().optional(),
    email_verified: z.boolean().optional(),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    message: 'expected at least one of disabled, is_admin, email_verified',
  });

export const grantSchema = z.object({
  amount_usd: usdField,
  type: z.enum(['BONUS', 'PAYMENT', 'ADJUSTMENT']).default('BONUS'),
  note: noteField,
  reference: z.string().trim().min(1).max(200).nullable().default(null),
  once_key: z.string().min(1, 'is required, to book once only').max(100),
});

export const refundSchema = z.object({ inference_id: z.string().min(1).max(100), note: noteField });

export const newInviteSchema = z.object({
  email: emailField.nullable().default(null),
  credit_usd: usdFromZeroField.default(0n),
  expires_in_days: z.int().min(1).max(365).default(7),
  note: noteField,
});

export function encodeAccount(account: AccountOverview) {
  return {
    id: account.id,
    email: account.email,
    email_verified: account.isEmailVerified,
    name: account.name,
    is_admin: account.isAdmin,
    state: account.state,
    created_at: encodeTime(account.createdAt),
    balance_usd: toUsdNumber(account.balanceNanoUsd),
    held_usd: toUsdNumber(account.heldNanoUsd),
    spent_month_usd: toUsdNumber(account.spentMonthNanoUsd),
    spent_total_usd: toUsdNumber(account.spentTotalNanoUsd),
    key_count: account.keyCount,
    last_used_at: encodeTime(account.lastUsedAt),
  };
}

export function encodeAccountKey(key: ApiKey) {
  return {
    prefix: key.prefix,
    name: key.name,
    kind: key.kind,
    disabled: key.isDisabled,
    created_at: encodeTime(key.createdAt),
    last_used_at: encodeTime(key.lastUsedAt),
  };
}

export function encodeLedgerLine(line: LedgerLine) {
  return {
    id: line.id,
    direction: line.direction,
    type: line.type,
    amount_usd: toUsdNumber(line.amountNanoUsd),
    model: line.modelId,
    reference_id: line.referenceId,
    note: line.note,
    booked_by: line.bookedByAccountId,
    created_at: encodeTime(line.createdAt),
  };
}

export function encodeInvite(invite: Invite) {
  return {
    id: invite.id,
    email: invite.email,
    credit_usd: toUsdNumber(invite.creditNanoUsd),
    note: invite.note,
    state: invite.state,
    created_at: encodeTime(invite.createdAt),
    expires_at: encodeTime(invite.expiresAt),
    used_by: invite.usedByAccountId,
  };
}
