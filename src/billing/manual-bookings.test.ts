import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import { createAccountBilling } from './account-billing.ts';
import { createManualBookings } from './manual-bookings.ts';
import { nanoUsdMax } from './money.ts';
import { verifyLedger } from './verify-ledger.ts';

describe.each(storeKinds)('a grant on %s', (kind) => {
  it('fills a balance to the last nano-dollar that a database can hold, and not beyond', async () => {
    const store = await openTestStore(kind);
    const { id: accountId } = await createAccount(store, {
      email: 'ada@example.org',
      password: 'a long password',
      isAdmin: false,
      openingCreditNanoUsd: 1n,
    });
    const bookings = createManualBookings(store);
    const grant = (amountNanoUsd: bigint, onceKey: string) =>
      bookings.grant({
        accountId,
        type: 'BONUS',
        amountNanoUsd,
        referenceId: null,
        onceKey,
        note: null,
        bookedByAccountId: null,
      });
    await expect(grant(nanoUsdMax, 'too much')).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'amount_usd',
      message: expect.stringContaining('9223372036.854775807 USD'),
    });
    await grant(nanoUsdMax - 1n, 'all that fits');
    await expect(grant(1n, 'one more')).rejects.toMatchObject({ code: 'invalid_request' });
    const { balanceNanoUsd } = await createAccountBilling(store).balance(accountId);
    expect(balanceNanoUsd).toBe(nanoUsdMax);
    expect((await verifyLedger(store)).problems).toEqual([]);
  });
});
