/** Counters in Redis (or Valkey): one script, one round trip per check. Whoever uses them must expect to lose them. */
import { createClient } from '@redis/client';
import { decodeTakeAnswer, type LimitCounters, leaseMs } from './limit-counters.ts';
import { correctScript, renewScript, type ScriptMeter, takeScript } from './redis-scripts.ts';

export interface RedisCountersOptions {
  /** `redis://…` or, with TLS, `rediss://…`. */
  readonly url: string;
  /** Begins every key, so that several installations can share one Redis. */
  readonly keyPrefix: string;
  /** Milliseconds since 1970; by default the clock of Redis, which all processes share. */
  readonly now?: () => number;
}

export interface RedisCounters extends LimitCounters {
  /** Whether Redis answers within `commandTimeoutMs`. Never rejects. */
  isAnswering(): Promise<boolean>;
}

/** A Redis that takes longer than this does not serve a gateway; a check is then made elsewhere. */
export const commandTimeoutMs = 1_000;
const connectTimeoutMs = 2_000;
const reconnectMsMin = 50;
const reconnectMsMax = 2_000;
/** A connection that says nothing for so long, pings included, is closed and made anew. */
const silenceMs = 3_000;
const pingMs = 1_000;

/** Begins to connect and goes on trying; calls reject while there is no connection. */
export function openRedisCounters({ url, keyPrefix, now }: RedisCountersOptions): RedisCounters {
  const client = createClient({
    url,
    scripts: { take: takeScript, correct: correctScript, renew: renewScript },
    // A check must not wait for a connection: the counters that replace these are there.
    disableOfflineQueue: true,
    pingInterval: pingMs,
    socket: {
      connectTimeout: connectTimeoutMs,
      socketTimeout: silenceMs,
      reconnectStrategy: (attempts) =>
        Math.min(reconnectMsMax, reconnectMsMin * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2),
    },
  });
  // Whoever calls hears of the failure; unheard, the event would end the process.
  client.on('error', () => undefined);
  const connecting = client.connect().catch(() => undefined);
  const clock = (): number => now?.() ?? -1;
  // All keys of an account in one hash slot, so that a Redis cluster behind a proxy takes the scripts as well.
  const keyOf = (accountId: number, name: string): string => `${keyPrefix}{a${accountId}}:${name}`;

  return {
    take: async ({ accountId, turnId, meters, seeds }) => {
      const scriptMeters = meters.map(
        ({ name, kind, limit, amount }): ScriptMeter => ({
          key: keyOf(accountId, name),
          kind,
          numbers: [limit, amount, seeds?.get(name) ?? -1],
        }),
      );
      return decodeTakeAnswer(await inTime(client.take({ now: clock(), turnId, leaseMs }, scriptMeters)));
    },
    correct: async ({ accountId, turnId, receipt: { second }, changes }) => {
      const scriptMeters = changes.map(
        ({ name, kind, change }): ScriptMeter => ({ key: keyOf(accountId, name), kind, numbers: [change] }),
      );
      await inTime(client.correct({ second, turnId }, scriptMeters));
    },
    renew: async (leases) => {
      // Not awaited one by one: they leave together.
      await inTime(
        Promise.all(
          leases.map(({ accountId, turnId, names }) =>
            client.renew(
              { now: clock(), turnId, leaseMs },
              names.map((name) => keyOf(accountId, name)),
            ),
          ),
        ),
      );
    },
    isAnswering: async () => {
      if (!client.isReady) return false;
      return await inTime(client.ping()).then(
        () => true,
        () => false,
      );
    },
    close: async () => {
      client.destroy();
      await connecting;
    },
  };
}

/** The client's own time limit ends when a command is written, so that a Redis that hangs would hold everybody. */
async function inTime<Reply>(reply: Promise<Reply>): Promise<Reply> {
  const late = Promise.withResolvers<never>();
  // When this process was busy, the answer may be here unread: it is read before the immediate comes.
  const timer = setTimeout(
    () => setImmediate(() => late.reject(new Error(`Redis did not answer within ${commandTimeoutMs} ms.`))),
    commandTimeoutMs,
  );
  try {
    return await Promise.race([reply, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
