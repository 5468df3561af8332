/** What the dashboard asks about an account as a whole: charts and the log of its requests. */
import type { Store } from '../store/store.ts';
import { readUsageSeries, type UsageSeries, type UsageSeriesQuery } from './account-usage.ts';
import {
  findRequestStory,
  type LogEntry,
  type LogPosition,
  listRequestLog,
  type RequestLogFilter,
  type RequestStory,
} from './request-log.ts';

export interface AccountActivity {
  series(accountId: number, query: UsageSeriesQuery): Promise<UsageSeries>;
  /** One page, newest first; `next` is undefined on the last one. */
  list(
    accountId: number,
    filter: RequestLogFilter,
  ): Promise<{ readonly entries: readonly LogEntry[]; readonly next: LogPosition | undefined }>;
  /** Undefined when the account has no such request. */
  story(accountId: number, inferenceId: string): Promise<RequestStory | undefined>;
}

export function createAccountActivity(store: Store): AccountActivity {
  return {
    series: async (accountId, query) => await readUsageSeries(store, accountId, query),
    list: async (accountId, filter) => await listRequestLog(store, accountId, filter),
    story: async (accountId, inferenceId) => await findRequestStory(store, accountId, inferenceId),
  };
}
