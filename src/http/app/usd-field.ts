import { z } from 'zod';
import { MoneyFormatError, parseUsd } from '../../billing/money.ts';

/** US dollars as a number or text → nano-dollars, exactly. */
export const usdField = z.union([z.number(), z.string().max(40)]).transform((usd, context) => {
  try {
    return parseUsd(usd);
  } catch (error) {
    if (!(error instanceof MoneyFormatError)) throw error;
    context.addIssue({ code: 'custom', message: 'expected US dollars with at most nine decimals' });
    return z.NEVER;
  }
});

export const usdFromZeroField = usdField.refine((nanoUsd) => nanoUsd >= 0n, 'must not be negative');
