import { createAccountDirectory } from './accounts/account-directory.ts';
import { createAccountBilling } from './billing/account-billing.ts';
import type { Meter } from './billing/meter.ts';
import { observeMeter } from './billing/observe-meter.ts';
import { createPriceBook } from './billing/price-book.ts';
import type { PlatformServices } from './http/http-dependencies.ts';
import { createKeyAdministration } from './keys/key-administration.ts';
import type { LimitAdministration } from './limits/limit-administration.ts';
import type { Store } from './store/store.ts';
import { createAccountActivity } from './usage/account-activity.ts';
import { createLatencyWindow } from './usage/latency-window.ts';
import { createUsageReports } from './usage/usage-reports.ts';

/** What stands behind the platform's endpoints, over one store. */
export function buildPlatform(
  store: Store,
  clock: { now(): number },
  limits: LimitAdministration,
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
  };
}

/** The meter whose answered turns are measured for `GET /models/metrics`. */
export function measureTurns(meter: Meter, { latencies }: PlatformServices): Meter {
  return observeMeter(meter, ({ modelId }, { usage, timeToFirstTokenMs, durationMs }) =>
    latencies.record({ modelId, timeToFirstTokenMs, durationMs, outputTokens: usage.completionTokens }),
  );
}
