import {
  type AccountAdministration,
  createAccountAdministration,
} from '../accounts/account-administration.ts';
import type { AccountOverview } from '../accounts/account-overviews.ts';
import { parseUsd } from '../billing/money.ts';
import type { Config } from '../settings.ts';
import type { Store } from '../store/store.ts';
import { CommandError } from './terminal.ts';
import { withStore } from './with-store.ts';

interface Opened {
  readonly store: Store;
  readonly administration: AccountAdministration;
}

/** `withStore`, for commands that name accounts. */
export async function withAdministration<Result>(
  config: Config,
  work: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  return await withStore(config, async (store) => {
    const administration = createAccountAdministration(store, {
      now: Date.now,
      signUpCreditNanoUsd: parseUsd(config.signUpCreditUsd),
    });
    return await work({ store, administration });
  });
}

/** The account with this number or e-mail address. Throws ApiError `not_found`, or `CommandError`. */
export async function findAccount(
  administration: Pick<AccountAdministration, 'read' | 'findByEmail'>,
  name: string,
): Promise<AccountOverview> {
  if (/^[1-9]\d{0,14}$/.test(name)) return await administration.read(Number(name));
  const account = await administration.findByEmail(name);
  if (account === undefined) throw new CommandError(`There is no account with the e-mail address ${name}.`);
  return account;
}
