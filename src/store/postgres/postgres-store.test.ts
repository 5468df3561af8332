import { sql } from 'kysely';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { createTestDatabase, openTestStore, openUntilTestEnds } from '../../../test/services/test-stores.ts';
import { seedBootstrap } from '../../accounts/seed-bootstrap.ts';
import { statement } from '../store.ts';
import { StoreError } from '../store-error.ts';
import { openPostgresStore } from './postgres-store.ts';

it('gives up a statement that takes too long, and goes on with another connection', async () => {
  const store = await openPostgresStore(inject('postgresUrl'), { queryTimeoutMs: 300 });
  onTestFinished(async () => await store.close());
  const sleep = 'select pg_sleep(3600)';
  await expect(store.commit([statement(sleep, [])])).rejects.toThrow(StoreError);
  await expect(sql.raw(sleep).execute(store.db)).rejects.toThrow('Query read timeout');
  // Whoever comes in the very moment of the loss may still meet the dead connection.
  const ask = () => store.commit([statement('select 1 as one', [])]).catch(() => undefined);
  await expect.poll(ask).toMatchObject({ isCommitted: true });
});

it('outlives a server that ends the connection under a statement', async () => {
  const store = await openPostgresStore(inject('postgresUrl'));
  onTestFinished(async () => await store.close());
  const running = expect(store.commit([statement('select pg_sleep(3600)', [])])).rejects.toThrow(StoreError);
  const end = sql<{ ended: number }>`select count(pg_terminate_backend(pid)) as ended from pg_stat_activity
    where query = 'select pg_sleep(3600)'`;
  for (let ended = 0; ended === 0; ) ended = Number((await end.execute(store.db)).rows[0]?.ended);
  await running;
  await expect(store.commit([statement('select 1 as one', [])])).resolves.toMatchObject({
    isCommitted: true,
  });
});

it('says that it is unavailable, whoever asks, when the server ends a connection or hangs', async () => {
  const store = await openPostgresStore(inject('postgresUrl'), { queryTimeoutMs: 300 });
  onTestFinished(async () => await store.close());
  for (const text of ['select pg_terminate_backend(pg_backend_pid())', 'select pg_sleep(3600)']) {
    for (const ask of [() => sql.raw(text).execute(store.db), () => store.commit([statement(text, [])])]) {
      await expect(ask()).rejects.toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    }
  }
});

it('is prepared by one of several servers that start together: one schema, one administrator', async () => {
  const database = await createTestDatabase('postgres');
  const stores = await Promise.all([1, 2, 3].map(() => openUntilTestEnds(database, { purpose: 'server' })));
  const seeded = await Promise.all(stores.map((store) => seedBootstrap(store)));
  expect(seeded.filter((result) => result !== undefined)).toHaveLength(1);
  const accounts = await stores[0]?.db.selectFrom('accounts').select('is_admin').execute();
  expect(accounts).toEqual([{ is_admin: 1 }]);
});

it('runs independent statements as one: all of them, or none when a guard does not hold', async () => {
  const store = await openTestStore('postgres');
  const add = (name: string) => statement('insert into store_marks (name, value) values (?, ?)', [name, 1]);
  const raise = (name: string) =>
    statement('update store_marks set value = value + ? where name = ?', [1, name], {
      rows: 1,
      otherwise: `no ${name}`,
    });
  const together = { isIndependent: true } as const;
  await expect(store.commit([add('one'), add('two')], together)).resolves.toMatchObject({
    isCommitted: true,
    results: [{ rowCount: 1 }, { rowCount: 1 }],
  });
  await expect(
    store.commit([raise('one'), add('three'), raise('nobody'), raise('two')], together),
  ).resolves.toEqual({ isCommitted: false, reason: 'no nobody', statementIndex: 2 });
  await expect(store.commit([raise('one'), add('two')], together)).rejects.toMatchObject({ kind: 'unique' });
  await store.commit([raise('one'), raise('two')], together);
  const marks = await store.db
    .selectFrom('store_marks')
    .select(['name', 'value'])
    .where('name', 'in', ['one', 'two', 'three'])
    .orderBy('name')
    .execute();
  expect(marks).toEqual([
    { name: 'one', value: 2 },
    { name: 'two', value: 2 },
  ]);
});

describe('independent groups that are sent together', () => {
  const together = { durability: 'lazy', isIndependent: true } as const;

  it('are written in the order in which they were sent, each all or nothing', async () => {
    const store = await openTestStore('postgres');
    await store.commit([statement("insert into store_marks (name, value) values ('count', 0)", [])]);
    const raiseFrom = (value: number) =>
      statement("update store_marks set value = value + 1 where name = 'count' and value = ?", [value], {
        rows: 1,
        otherwise: 'out of order',
      });
    const sent = Array.from({ length: 50 }, (_, value) => [
      store.commit([raiseFrom(value)], together),
      store.commit([raiseFrom(-1)], together),
    ]).flat();
    const committed = (await Promise.all(sent)).map(({ isCommitted }) => isCommitted);
    expect(committed).toEqual(Array.from({ length: 50 }, () => [true, false]).flat());
  });

  it('all fail when their connection is lost, and those after them take another one', async () => {
    const store = await openPostgresStore(inject('postgresUrl'));
    onTestFinished(async () => await store.close());
    const ask = (text: string) => store.commit([statement(text, [])], together);
    const end = ask('select pg_terminate_backend(pg_backend_pid())');
    const lost = await Promise.allSettled([end, ask('select 1 as one'), ask('select 2 as two')]);
    for (const outcome of lost) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable' } });
    }
    await expect(ask('select 3 as three')).resolves.toMatchObject({ isCommitted: true });
  });
});
