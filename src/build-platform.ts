import { createAccountDirectory } from './accounts/account-directory.ts';
import { createAccountBilling } from './billing/account-billing.ts';
import type { PlatformServices } from './http/http-dependencies.ts';
import { createKeyAdministration } from './keys/key-administration.ts';
import type { Store } from './store/store.ts';
import { createUsageReports } from './usage/usage-reports.ts';

/** What stands behind the platform's endpoints, over one store. */
export function buildPlatform(store: Store, clock: { now(): number }): PlatformServices {
  const now = (): number => clock.now();
  return {
    keys: createKeyAdministration(store, now),
    accounts: createAccountDirectory(store),
    billing: createAccountBilling(store),
    usage: createUsageReports(store),
  };
}
