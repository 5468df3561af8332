/**
 * Everything the HTTP layer needs from outside, as interfaces: `build-app.ts` passes the real parts, tests pass
 * scripted ones. Nothing in this folder reads the environment, opens a file or knows a database.
 */
import type { AccountAdministration } from '../accounts/account-administration.ts';
import type { AccountDirectory } from '../accounts/account-directory.ts';
import type { People } from '../accounts/create-people.ts';
import type { AccountBilling } from '../billing/account-billing.ts';
import type { ManualBookings } from '../billing/manual-bookings.ts';
import type { PriceAdministration } from '../billing/price-administration.ts';
import type { PriceBook } from '../billing/price-book.ts';
import type { ContextCaches } from '../caching/context-caches.ts';
import type { ChatService } from '../chat/chat-service.ts';
import type { FormulaService } from '../chat/formula-service.ts';
import type { Caller } from '../chat/types.ts';
import type { Conversations } from '../conversations/conversations.ts';
import type { ModelDirectory } from '../engines/registry.ts';
import type { FileService } from '../files/file-service.ts';
import type { IdempotentAnswers } from '../idempotency/idempotent-answers.ts';
import type { JobReport } from '../jobs/job-loop.ts';
import type { KeyAdministration } from '../keys/key-administration.ts';
import type { KeyPurpose } from '../keys/key-directory.ts';
import type { ManagementKeys } from '../keys/management-keys.ts';
import type { PlaygroundKeys } from '../keys/playground-keys.ts';
import type { LimitAdministration } from '../limits/limit-administration.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import type { AccountActivity } from '../usage/account-activity.ts';
import type { LatencyWindow } from '../usage/latency-window.ts';
import type { UsageReports } from '../usage/usage-reports.ts';
import type { WebFiles } from '../web-files.ts';
import type { ProbeBackends } from '../web-search/probe-backends.ts';

/**
 * Who is behind a secret. Throws ApiError `invalid_api_key`, `scope_denied` for the wrong kind of key, or
 * `rate_limit_reached` after too many unknown ones of one network.
 */
export interface KeyAuthenticator {
  authenticate(secret: string, purpose: KeyPurpose, network: string): Promise<Caller> | Caller;
}

/** What the platform's endpoints ask, each by the folder that owns it. */
export interface PlatformServices {
  readonly keys: KeyAdministration;
  readonly limits: LimitAdministration;
  readonly accounts: AccountDirectory;
  readonly billing: AccountBilling;
  readonly usage: UsageReports;
  readonly activity: AccountActivity;
  readonly prices: PriceBook;
  readonly latencies: LatencyWindow;
  readonly conversations: Conversations;
  readonly managementKeys: ManagementKeys;
  readonly administration: AccountAdministration;
  readonly bookings: ManualBookings;
  readonly priceList: PriceAdministration;
}

export interface Readiness {
  readonly isReady: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly state: string;
    /** What is wrong and what to do; empty when nothing is. */
    readonly detail: string;
  }[];
}

/** What an administrator sees of the machine and the process. */
export interface SystemHealth {
  readonly nodeVersion: string;
  readonly startedAt: number;
  readonly memory: {
    readonly residentBytes: number;
    readonly heapBytes: number;
    readonly machineTotalBytes: number;
    readonly machineFreeBytes: number;
  };
  /** Of the data folder's disk. */
  readonly disk: { readonly totalBytes: number; readonly freeBytes: number };
  /** Size in bytes, null where it cannot be told. */
  readonly store: { readonly kind: string; readonly sizeBytes: number | null };
  /** What this process does by itself, again and again. */
  readonly jobs: readonly JobReport[];
}

export interface HttpSettings {
  /** Largest `n`. */
  readonly choiceCountMax: number;
  /** Largest request body, in bytes. */
  readonly bodyBytesMax: number;
  /** Whether requests run in deterministic mode unless their header says otherwise. */
  readonly isDeterministicDefault: boolean;
  /** Origins of web pages that may call the API; `*` = any. Never with credentials. */
  readonly corsOrigins: readonly string[];
  /** Addresses and networks of proxies whose `X-Forwarded-…` headers are believed. */
  readonly trustedProxies: readonly string[];
  /** A stream that was silent for this long gets a comment, so that proxies keep it open. */
  readonly keepAliveMs: number;
  /** At most one `: prefill` comment in this time; a prefill that is faster than this is not announced. */
  readonly prefillCommentMs: number;
  /** A reader that takes nothing for this long is dropped and its work stopped. */
  readonly readerStallMs: number;
  /** An upload of which nothing came for so long is given up; a whole one may take as long as its line needs. */
  readonly uploadIdleMs: number;
  /** Whether work ends with its client, or runs on for nobody and is charged whole. */
  readonly onClientLeft: 'stop' | 'finish';
  /** What opens `/metrics` from other machines; undefined = nothing does. */
  readonly metricsToken: string | undefined;
}

export const httpSettingsDefault: HttpSettings = {
  choiceCountMax: 16,
  bodyBytesMax: 4_194_304,
  isDeterministicDefault: false,
  corsOrigins: ['*'],
  trustedProxies: [],
  keepAliveMs: 10_000,
  prefillCommentMs: 500,
  readerStallMs: 30_000,
  uploadIdleMs: 60_000,
  onClientLeft: 'stop',
  metricsToken: undefined,
};

/** The part of pino's interface that is used here. */
export interface HttpLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface HttpDependencies {
  readonly chat: ChatService;
  readonly keys: KeyAuthenticator;
  readonly formulas: FormulaService;
  readonly models: ModelDirectory;
  readonly caches: ContextCaches;
  readonly platform: PlatformServices;
  readonly files: FileService;
  readonly people: People;
  readonly playgroundKeys: PlaygroundKeys;
  /** Absent: nothing is counted, and there is no `/metrics`. */
  readonly metrics?: ServerMetrics;
  /** Absent: `Idempotency-Key` has no effect. */
  readonly idempotentAnswers?: IdempotentAnswers;
  readiness(): Promise<Readiness> | Readiness;
  systemHealth(): Promise<SystemHealth>;
  readonly probeSearch: ProbeBackends;
  readonly settings: HttpSettings;
  /** Version of this software, shown by `/health` and `/openapi.json`. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly clock: { now(): number };
  /** 24 hex digits, never the same twice: the variable part of inference ids. */
  readonly ids: { next(): string };
  readonly logger: HttpLogger;
  /** The built web app; absent = nothing is served below `/app/`. */
  readonly webFiles?: WebFiles;
}
