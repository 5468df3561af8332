import { createAccountAdministration } from './accounts/account-administration.ts';
import { createAccountDirectory } from './accounts/account-directory.ts';
import { createAccountBilling } from './billing/account-billing.ts';
import { createManualBookings } from './billing/manual-bookings.ts';
import type { Meter } from './billing/meter.ts';
import { observeMeter } from './billing/observe-meter.ts';
import { createPriceAdministration } from './billing/price-administration.ts';
import { createPriceBook } from './billing/price-book.ts';
import { createConversations } from './conversations/conversations.ts';
import type { PlatformServices } from './http/http-dependencies.ts';
import { createKeyAdministration } from './keys/key-administration.ts';
import { createManagementKeys } from './keys/management-keys.ts';
import type { LimitAdministration } from './limits/limit-administration.ts';
import type { Store } from './store/store.ts';
import { createAccountActivity } from './usage/account-activity.ts';
import { createLatencyWindow } from './usage/latency-window.ts';
import { createUsageReports } from './usage/usage-reports.ts';

export interface PlatformOptions {
  readonly limits: LimitAdministration;
  /** INIT entry of an account that an administrator approves. */
  readonly signUpCreditNanoUsd: bigint;
}

/** What stands behind the platform's endpoints, over one store. */
export function buildPlatform(
  store: Store,
  clock: { now(): number },
  { limits, signUpCreditNanoUsd }: PlatformOptions,
): PlatformServices {
  const now = (): number => clock.now();
  return {
    keys: createKeyAdministration(store, now),
    limits,
    accounts: createAccountDirectory(store),
    billing: createAccountBilling(store),
    usage: createUsageReports(store),
    activity: createAccountActivity(store),
    prices: createPriceBook(store),
    latencies: createLatencyWindow(now),
    conversations: createConversations(store, { now }),
    managementKeys: createManagementKeys(store, now),
    administration: createAccountAdministration(store, { now, signUpCreditNanoUsd }),
    bookings: createManualBookings(store, now),
    priceList: createPriceAdministration(store, now),
  };
}

/** The meter whose answered turns are measured for `GET /models/metrics`. */
export function measureTurns(meter: Meter, { latencies }: PlatformServices): Meter {
  return observeMeter(meter, ({ modelId }, { usage, timeToFirstTokenMs, durationMs }) => {
    latencies.record({ modelId, timeToFirstTokenMs, durationMs, outputTokens: usage.completionTokens });
  });
}
