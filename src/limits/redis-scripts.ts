/**
 * The scripts by which Redis counts: each is one atomic step. A minute is a hash of its seconds, a day a hash of its
 * number and its sum, leases are a set sorted by their end. Every key ends by itself.
 */
import { type CommandParser, defineScript } from '@redis/client';
import type { MeterKind } from './limit-counters.ts';

export interface ScriptMeter {
  readonly key: string;
  readonly kind: MeterKind;
  /** Limit, amount, seed for taking; change for correcting. */
  readonly numbers: readonly number[];
}

const pushCall = (
  parser: CommandParser,
  first: readonly (string | number)[],
  meters: readonly ScriptMeter[],
) => {
  parser.pushKeysLength(meters.map(({ key }) => key));
  for (const argument of [...first, ...meters.flatMap(({ kind, numbers }) => [kind, ...numbers])]) {
    parser.push(String(argument));
  }
};

/** An array of integers, as `decodeTakeAnswer` reads it. */
const toNumbers = (reply: unknown): readonly number[] => {
  if (!Array.isArray(reply)) throw new TypeError('Redis gave no answer about rate limits.');
  return reply.map(Number);
};

const readTime = `
local now = tonumber(ARGV[1])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end`;

export const takeScript = defineScript({
  SCRIPT: `${readTime}
local turn, lease_ms = ARGV[2], tonumber(ARGV[3])
local second = math.floor(now / 1000)
local today = math.floor(second / 86400)
local refused, refused_wait, answer, days = 0, 0, {0, 0, second}, {}
for i, key in ipairs(KEYS) do
  local at = 4 + (i - 1) * 4
  local kind, limit, amount = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local used, back, wait = 0, 0, nil
  if kind == 'minute' then
    local flat, seconds, counts = redis.call('HGETALL', key), {}, {}
    for j = 1, #flat, 2 do
      local s, n = tonumber(flat[j]), tonumber(flat[j + 1])
      if s <= second - 61 then
        redis.call('HDEL', key, flat[j])
      elseif n > 0 then
        used = used + n
        seconds[#seconds + 1] = s
        counts[s] = n
      end
    end
    table.sort(seconds)
    if #seconds > 0 then back = (seconds[1] + 61) * 1000 - now end
    if used + amount > limit then
      wait = 61000
      local left = used
      for _, s in ipairs(seconds) do
        left = left - counts[s]
        if left + amount <= limit then
          wait = (s + 61) * 1000 - now
          break
        end
      end
    end
  elseif kind == 'day' then
    local known = redis.call('HMGET', key, 'day', 'used')
    if tonumber(known[1] or -1) == today then
      used = tonumber(known[2])
    else
      used = tonumber(ARGV[at + 3])
      if used < 0 then return {-i, 0, second} end
    end
    days[i] = used
    back = (today + 1) * 86400000 - now
    if used + amount > limit then wait = back end
  else
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    used = redis.call('ZCARD', key)
    if used + amount > limit then wait = 1000 end
  end
  answer[#answer + 1] = used
  answer[#answer + 1] = back
  if wait and (refused == 0 or wait > refused_wait) then refused, refused_wait = i, wait end
end
answer[1], answer[2] = refused, refused_wait
if refused > 0 then return answer end
for i, key in ipairs(KEYS) do
  local at = 4 + (i - 1) * 4
  local kind, amount = ARGV[at], ARGV[at + 2]
  if kind == 'minute' then
    redis.call('HINCRBY', key, second, amount)
    redis.call('PEXPIRE', key, 62000)
  elseif kind == 'day' then
    redis.call('HSET', key, 'day', today, 'used', days[i] + amount)
    redis.call('PEXPIRE', key, 90000000)
  else
    redis.call('ZADD', key, now + lease_ms, turn)
    redis.call('PEXPIRE', key, lease_ms + 1000)
  end
end
return answer`,
  parseCommand(
    parser: CommandParser,
    call: { readonly now: number; readonly turnId: string; readonly leaseMs: number },
    meters: readonly ScriptMeter[],
  ) {
    pushCall(parser, [call.now, call.turnId, call.leaseMs], meters);
  },
  transformReply: toNumbers,
});

export const correctScript = defineScript({
  SCRIPT: `
local second, turn = ARGV[1], ARGV[2]
for i, key in ipairs(KEYS) do
  local kind, change = ARGV[1 + i * 2], ARGV[2 + i * 2]
  if kind == 'minute' then
    if redis.call('HEXISTS', key, second) == 1 then redis.call('HINCRBY', key, second, change) end
  elseif kind == 'day' then
    local day = math.floor(tonumber(second) / 86400)
    if tonumber(redis.call('HGET', key, 'day') or -1) == day then redis.call('HINCRBY', key, 'used', change) end
  else
    redis.call('ZREM', key, turn)
  end
end
return {1}`,
  parseCommand(
    parser: CommandParser,
    call: { readonly second: number; readonly turnId: string },
    meters: readonly ScriptMeter[],
  ) {
    pushCall(parser, [call.second, call.turnId], meters);
  },
  transformReply: toNumbers,
});

export const renewScript = defineScript({
  SCRIPT: `${readTime}
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + ARGV[3], ARGV[2])
  redis.call('PEXPIRE', key, ARGV[3] + 1000)
end
return {1}`,
  parseCommand(
    parser: CommandParser,
    call: { readonly now: number; readonly turnId: string; readonly leaseMs: number },
    keys: readonly string[],
  ) {
    parser.pushKeysLength([...keys]);
    parser.push(String(call.now), call.turnId, String(call.leaseMs));
  },
  transformReply: toNumbers,
});
