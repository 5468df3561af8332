/** What a key has used: totals, breakdowns and the log of its requests. */
import { ApiError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type LogFilter, type LoggedRequest, listRequests } from './list-requests.ts';
import { readUsageSums, type TimeSpan, type UsageSums } from './read-usage-sums.ts';
import { loadTimeZones, splitDays } from './time-zone.ts';

/** Sums of one group of requests. */
export type UsageTotals = Omit<UsageSums, 'span' | 'modelId' | 'keyId'>;

export interface ModelUsage extends UsageTotals {
  readonly modelId: string;
}

export interface UsageGroup extends UsageTotals {
  /** Set when grouped by day. */
  readonly day: string | undefined;
  /** Set when grouped by model. */
  readonly modelId: string | undefined;
}

export interface UsageReport {
  readonly total: UsageTotals;
  /** Highest spend first. */
  readonly models: readonly ModelUsage[];
  /** Days in order, in each the highest spend first; groups without requests are left out. */
  readonly groups: readonly UsageGroup[];
}

export interface UsageGrouping {
  readonly byDay: boolean;
  readonly byModel: boolean;
  /** A canonical IANA name; whose days are meant. */
  readonly timeZone: string;
}

export interface UsageReports {
  /**
   * The key that a report is about: the caller's own, or the one with this prefix. Throws ApiError `scope_denied`
   * (another key, asked for without a management key) or `key_not_found` (none of the account).
   */
  resolveKey(
    caller: { readonly accountId: number; readonly keyId: number; readonly keyPrefix: string },
    prefix: string | undefined,
  ): Promise<number>;
  report(keyId: number, span: TimeSpan, grouping?: UsageGrouping): Promise<UsageReport>;
  /** Newest first. */
  listRequests(
    keyId: number,
    filter: LogFilter,
  ): Promise<{ readonly requests: readonly LoggedRequest[]; readonly totalCount: number }>;
}

export function createUsageReports(store: Store): UsageReports {
  loadTimeZones();
  return {
    resolveKey: async (caller, prefix) =>
      prefix === undefined || prefix === caller.keyPrefix
        ? caller.keyId
        : await findKeyOfAccount(store, caller, prefix),
    report: async (keyId, span, grouping) => {
      const days = grouping?.byDay === true ? splitDays(span.from, span.to, grouping.timeZone) : undefined;
      const rows = await readUsageSums(store, { keyId }, days ?? [span]);
      return {
        total: addUp(rows),
        models: groupRows(rows, ({ modelId }) => modelId).map(([modelId, totals]) => ({
          modelId,
          ...totals,
        })),
        groups:
          grouping === undefined
            ? []
            : listGroups(
                rows,
                grouping,
                days?.map(({ day }) => day),
              ),
      };
    },
    listRequests: async (keyId, filter) => await listRequests(store, keyId, filter),
  };
}

async function findKeyOfAccount(
  store: Store,
  caller: { readonly accountId: number; readonly keyId: number },
  prefix: string,
): Promise<number> {
  const keys = await store.db
    .selectFrom('api_keys')
    .select(['id', 'kind', 'prefix'])
    .where('account_id', '=', caller.accountId)
    .where((where) => where.or([where('id', '=', caller.keyId), where('prefix', '=', prefix)]))
    .execute();
  const asking = keys.find(({ id }) => id === caller.keyId);
  // The hidden key stands for a person in the web app, who may see all of their account.
  if (asking === undefined || asking.kind === 'regular') {
    throw new ApiError('scope_denied', {
      message:
        'Usage of another API key is shown to management keys only; leave `key_prefix` out for your own.',
      param: 'key_prefix',
    });
  }
  // Deleted keys too: what they used stays.
  const key = keys.find((each) => each.prefix === prefix);
  if (key === undefined) throw new ApiError('key_not_found', { param: 'key_prefix' });
  return key.id;
}

function listGroups(
  rows: readonly UsageSums[],
  { byDay, byModel }: UsageGrouping,
  days: readonly string[] | undefined,
): readonly UsageGroup[] {
  const listModels = (members: readonly UsageSums[], day: string | undefined): readonly UsageGroup[] =>
    byModel
      ? groupRows(members, ({ modelId }) => modelId).map(([modelId, totals]) => ({ day, modelId, ...totals }))
      : [{ day, modelId: undefined, ...addUp(members) }];
  if (!byDay) return listModels(rows, undefined);
  const bySpan = Map.groupBy(rows, ({ span }) => span);
  return [...bySpan]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([span, members]) => listModels(members, days?.[span]));
}

/** Highest spend first, then by name. */
function groupRows(
  rows: readonly UsageSums[],
  keyOf: (row: UsageSums) => string,
): readonly (readonly [string, UsageTotals])[] {
  return Array.from(Map.groupBy(rows, keyOf), ([key, members]) => [key, addUp(members)] as const).toSorted(
    ([nameA, a], [nameB, b]) =>
      a.costNanoUsd === b.costNanoUsd ? (nameA < nameB ? -1 : 1) : a.costNanoUsd > b.costNanoUsd ? -1 : 1,
  );
}

/** The sums of many rows as one. */
export function addUp(rows: readonly UsageTotals[]): UsageTotals {
  const sumOf = (pick: (row: UsageTotals) => number): number => rows.reduce((sum, row) => sum + pick(row), 0);
  return {
    inputTokens: sumOf((row) => row.inputTokens),
    cachedTokens: sumOf((row) => row.cachedTokens),
    outputTokens: sumOf((row) => row.outputTokens),
    costNanoUsd: rows.reduce((sum, row) => sum + row.costNanoUsd, 0n),
    succeededCount: sumOf((row) => row.succeededCount),
    failedCount: sumOf((row) => row.failedCount),
    chargedCount: sumOf((row) => row.chargedCount),
  };
}
