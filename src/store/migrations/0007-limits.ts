import type { Ddl, Migration } from './migration.ts';

/**
 * Rate limits: what administrators set (both databases), and on PostgreSQL what was taken of them, for the server
 * processes that share it. One process over SQLite counts in memory (docs/decisions/0015).
 */
export const limits: Migration = {
  id: '0007-limits',
  statements: (ddl) => [limitTable(ddl), ...(ddl.kind === 'postgres' ? sharedCounters : [])],
};

// Null = as the level above says (key: no limit of its own; account: the default; default: the setting);
// -1 = none, whatever the level above says.
const limitTable = (ddl: Ddl): string => `create table rate_limits (
  scope text not null check (scope in ('default', 'account', 'key')),
  subject_id ${ddl.integer} not null,
  requests_per_minute ${ddl.integer} check (requests_per_minute = -1 or requests_per_minute > 0),
  tokens_per_minute ${ddl.integer} check (tokens_per_minute = -1 or tokens_per_minute > 0),
  tokens_per_day ${ddl.integer} check (tokens_per_day = -1 or tokens_per_day > 0),
  concurrency ${ddl.integer} check (concurrency = -1 or concurrency > 0),
  updated_at ${ddl.integer} not null, primary key (scope, subject_id) ${ddl.tableEnd}`;

// Rows that come and go with every turn: only a plain index scan remembers which of them are dead.
const plainIndexScans = 'set enable_bitmapscan to off set enable_seqscan to off';

/**
 * The minute of a meter is the counts of its seconds, sparse. `take_rate_limits` checks all meters of a request,
 * then takes from all of them or from none; a lock per account makes that one step for every server process.
 * Its answer is the list that src/limits/limit-counters.ts describes.
 */
const sharedCounters: readonly string[] = [
  `create table limit_windows (name text primary key, seconds bigint[] not null, counts bigint[] not null)
    with (fillfactor = 50)`,
  'create table limit_days (name text primary key, day bigint not null, used bigint not null) with (fillfactor = 50)',
  `create table limit_leases (name text not null, turn_id text not null, expires_at bigint not null,
    primary key (name, turn_id))`,
  `create function take_rate_limits(account bigint, given_now bigint, turn text, lease_ms bigint,
      names text[], kinds text[], maxima bigint[], amounts bigint[], seeds bigint[]) returns bigint[]
    language plpgsql ${plainIndexScans} as $$
    declare
      now_ms bigint; current_second bigint; today bigint; used bigint; back_ms bigint; wait_ms bigint;
      refused bigint := 0; refused_wait_ms bigint := 0; readings bigint[] := '{}';
    begin
      perform pg_advisory_xact_lock(1883468385, (account % 2147483647)::integer);
      now_ms := coalesce(given_now, (extract(epoch from clock_timestamp()) * 1000)::bigint);
      current_second := now_ms / 1000;
      today := current_second / 86400;
      for i in 1 .. cardinality(names) loop
        wait_ms := null;
        if kinds[i] = 'minute' then
          select coalesce(sum(w.n), 0), coalesce((min(w.s) + 61) * 1000 - now_ms, 0) into used, back_ms
            from limit_windows t, unnest(t.seconds, t.counts) as w (s, n)
            where t.name = names[i] and w.s > current_second - 61 and w.n > 0;
          if used + amounts[i] > maxima[i] then
            select min((f.s + 61) * 1000 - now_ms) into wait_ms
              from (select w.s, sum(w.n) over (order by w.s) as freed
                from limit_windows t, unnest(t.seconds, t.counts) as w (s, n)
                where t.name = names[i] and w.s > current_second - 61) f
              where f.freed >= used + amounts[i] - maxima[i];
            wait_ms := coalesce(wait_ms, 61000);
          end if;
        elsif kinds[i] = 'day' then
          select d.used into used from limit_days d where d.name = names[i] and d.day = today;
          if not found then
            if seeds[i] < 0 then return array[-i::bigint, 0, current_second]; end if;
            used := seeds[i];
          end if;
          back_ms := (today + 1) * 86400000 - now_ms;
          if used + amounts[i] > maxima[i] then wait_ms := back_ms; end if;
        else
          delete from limit_leases l where l.name = names[i] and l.expires_at <= now_ms;
          select count(*), 0 into used, back_ms from limit_leases l where l.name = names[i];
          if used + amounts[i] > maxima[i] then wait_ms := 1000; end if;
        end if;
        readings := readings || used || back_ms;
        if wait_ms is not null and (refused = 0 or wait_ms > refused_wait_ms) then
          refused := i;
          refused_wait_ms := wait_ms;
        end if;
      end loop;
      if refused = 0 then
        for i in 1 .. cardinality(names) loop
          if kinds[i] = 'minute' then
            insert into limit_windows as t values (names[i], array[current_second], array[amounts[i]])
              on conflict (name) do update set (seconds, counts) = (
                select array_agg(k.s order by k.s), array_agg(k.n order by k.s)
                from (select w.s, sum(w.n)::bigint as n
                  from (select * from unnest(t.seconds, t.counts) as old (s, n)
                    union all select current_second, amounts[i]) w
                  where w.s > current_second - 61 group by w.s) k);
          elsif kinds[i] = 'day' then
            insert into limit_days as t values (names[i], today, seeds[i] + amounts[i])
              on conflict (name) do update set day = today,
                used = case when t.day = today then t.used + amounts[i] else excluded.used end;
          else
            insert into limit_leases values (names[i], turn, now_ms + lease_ms) on conflict (name, turn_id)
              do update set expires_at = excluded.expires_at;
          end if;
        end loop;
      end if;
      return array[refused, refused_wait_ms, current_second] || readings;
    end $$`,
  `create function correct_rate_limits(account bigint, taken_second bigint, turn text,
      names text[], kinds text[], changes bigint[]) returns boolean
    language plpgsql ${plainIndexScans} as $$
    begin
      perform pg_advisory_xact_lock(1883468385, (account % 2147483647)::integer);
      for i in 1 .. cardinality(names) loop
        if kinds[i] = 'minute' then
          update limit_windows set counts[array_position(seconds, taken_second)]
              = counts[array_position(seconds, taken_second)] + changes[i]
            where name = names[i] and array_position(seconds, taken_second) is not null;
        elsif kinds[i] = 'day' then
          update limit_days set used = used + changes[i] where name = names[i] and day = taken_second / 86400;
        else
          delete from limit_leases where name = names[i] and turn_id = turn;
        end if;
      end loop;
      return true;
    end $$`,
  `create function renew_limit_leases(given_now bigint, lease_ms bigint, names text[], turns text[]) returns boolean
    language plpgsql as $$
    begin
      insert into limit_leases
        select l.name, l.turn, coalesce(given_now, (extract(epoch from clock_timestamp()) * 1000)::bigint) + lease_ms
        from unnest(names, turns) as l (name, turn) order by 1, 2
        on conflict (name, turn_id) do update set expires_at = excluded.expires_at;
      return true;
    end $$`,
  // `require_rows` that says which of the statements that run as one has failed (postgres-merged-group.ts).
  `create function require_rows_of(statement bigint, actual bigint, required bigint) returns boolean
    language plpgsql as $$ begin
      if actual <> required then
        raise exception 'guard: % rows, not %', actual, required using errcode = 'PGRD1', detail = statement::text;
      end if;
      return true;
    end $$`,
];
