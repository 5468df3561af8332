import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { openTestStore, storeKinds } from '../../test/services/test-stores.ts';
import { type Store, statement } from './store.ts';

const bump = (by: number) =>
  statement("update store_marks set value = value + ? where name = 'key-generation'", [by]);

const addMark = (name: string, value: number) =>
  statement('insert into store_marks (name, value) values (?, ?)', [name, value]);

async function readMark(store: Store, name: string): Promise<number | undefined> {
  const row = await store.db
    .selectFrom('store_marks')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.value;
}

describe.each(storeKinds)('a store on %s', (kind) => {
  it('writes all statements of a group and returns their rows', async () => {
    const store = await openTestStore(kind);
    const result = await store.commit([
      addMark('a', 1),
      statement('update store_marks set value = value + 5 where name = ? returning name, value', ['a']),
    ]);
    expect(result).toEqual({
      isCommitted: true,
      results: [
        { rowCount: 1, rows: [], insertId: expect.anything() },
        { rowCount: 1, rows: [{ name: 'a', value: 6 }] },
      ].map((expected) => expect.objectContaining({ rowCount: expected.rowCount, rows: expected.rows })),
    });
  });

  it('writes nothing of a group whose guard does not hold, and says which', async () => {
    const store = await openTestStore(kind);
    const result = await store.commit([
      addMark('a', 1),
      statement('update store_marks set value = 0 where name = ?', ['missing'], {
        rows: 1,
        otherwise: 'missing',
      }),
      addMark('b', 1),
    ]);
    expect(result).toEqual({ isCommitted: false, reason: 'missing', statementIndex: 1 });
    expect(await readMark(store, 'a')).toBeUndefined();
  });

  it('counts the rows that a guarded select returns', async () => {
    const store = await openTestStore(kind);
    const guarded = (name: string) =>
      statement('select value from store_marks where name = ?', [name], { rows: 1, otherwise: 'absent' });
    expect(await store.commit([guarded('key-generation'), addMark('a', 1)])).toMatchObject({
      isCommitted: true,
    });
    expect(await store.commit([guarded('nothing'), addMark('b', 1)])).toMatchObject({ reason: 'absent' });
  });

  it('writes nothing of a group in which a statement fails, and names the kind of failure', async () => {
    const store = await openTestStore(kind);
    await store.commit([addMark('taken', 1)]);
    const failing = store.commit([addMark('a', 1), addMark('taken', 2), addMark('b', 3)]);
    await expect(failing).rejects.toMatchObject({ name: 'StoreError', kind: 'unique' });
    expect(await readMark(store, 'a')).toBeUndefined();
    await expect(store.commit([statement('update nothing_here set x = 1', [])])).rejects.toMatchObject({
      kind: 'other',
    });
    expect(await store.commit([addMark('a', 1)])).toMatchObject({ isCommitted: true });
  });

  it('keeps groups that were committed together apart: one fails, its neighbours stand', async () => {
    const store = await openTestStore(kind);
    const outcomes = await Promise.allSettled([
      store.commit([addMark('first', 1)]),
      store.commit([
        addMark('refused', 1),
        statement('delete from store_marks where name = ?', ['x'], { rows: 1, otherwise: 'no' }),
      ]),
      store.commit([addMark('broken', 1), addMark('key-generation', 1)]),
      store.commit([addMark('last', 1)], { durability: 'lazy' }),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(await readMark(store, 'first')).toBe(1);
    expect(await readMark(store, 'refused')).toBeUndefined();
    expect(await readMark(store, 'broken')).toBeUndefined();
    expect(await readMark(store, 'last')).toBe(1);
  });

  it('loses no update of a thousand concurrent groups on one row', async () => {
    const store = await openTestStore(kind);
    const before = (await readMark(store, 'key-generation')) ?? 0;
    const durabilities = ['sync', 'lazy'] as const;
    await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        store.commit([bump(1)], { durability: durabilities[index % 2] ?? 'sync' }),
      ),
    );
    expect(await readMark(store, 'key-generation')).toBe(before + 1_000);
  });

  it('lets a read see what was acknowledged before it, on whatever connection it runs', async () => {
    const store = await openTestStore(kind);
    for (let value = 1; value <= 50; value += 1) {
      await store.commit([addMark(`mark-${value}`, value)], { durability: 'lazy' });
      expect(await readMark(store, `mark-${value}`)).toBe(value);
    }
  });

  it('gives money as bigint beyond 2^53 and everything else as number', async () => {
    const store = await openTestStore(kind);
    const huge = 9_007_199_254_740_993n;
    const { rows } = await sql<Record<string, unknown>>`
      select count(*) as count, cast(${huge} as bigint) as sum_nano_usd, cast(7 as bigint) as small_nano_usd,
        cast(null as bigint) as none_nano_usd, cast(1700000000000 as bigint) as at
      from store_marks`.execute(store.db);
    expect(rows).toEqual([
      { count: 1, sum_nano_usd: huge, small_nano_usd: 7n, none_nano_usd: null, at: 1_700_000_000_000 },
    ]);
    const group = await store.commit([
      statement('select cast(? as bigint) as x_nano_usd, cast(? as bigint) as x', [huge, 5]),
    ]);
    expect(group).toMatchObject({ results: [{ rows: [{ x_nano_usd: huge, x: 5 }] }] });
  });

  it('keeps groups out of an interactive transaction until it ends', async () => {
    const store = await openTestStore(kind);
    const order: string[] = [];
    let outside: Promise<unknown> = Promise.resolve();
    await store.db.transaction().execute(async (trx) => {
      await trx.updateTable('store_marks').set({ value: 100 }).where('name', '=', 'key-generation').execute();
      outside = store.commit([bump(1)]).then(() => order.push('group'));
      await trx.insertInto('store_marks').values({ name: 'inside', value: 1 }).execute();
      order.push('transaction');
    });
    await outside;
    expect(order).toEqual(['transaction', 'group']);
    expect(await readMark(store, 'key-generation')).toBe(101);
  });

  it('rolls an interactive transaction back when its work throws', async () => {
    const store = await openTestStore(kind);
    const failing = store.db.transaction().execute(async (trx) => {
      await trx.insertInto('store_marks').values({ name: 'inside', value: 1 }).execute();
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await readMark(store, 'inside')).toBeUndefined();
  });

  it('finishes what it accepted before it closes', async () => {
    const store = await openTestStore(kind);
    const accepted = Array.from({ length: 20 }, (_, index) =>
      store.commit([addMark(`mark-${index}`, index)]),
    );
    await store.close();
    const outcomes = await Promise.allSettled(accepted);
    expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toEqual([]);
    await store.close();
  });

  it('refuses to change or delete a ledger entry', async () => {
    const store = await openTestStore(kind);
    await store.commit([
      statement(
        "insert into auth_users (id, name, email, email_verified, created_at, updated_at) values ('u', 'u', 'u@example.org', ?, ?, ?)",
        [true, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'],
      ),
      statement("insert into accounts (owner_user_id, is_admin, created_at) values ('u', 0, 0)", []),
      statement(
        `insert into ledger_transfers (account_id, counterpart, direction, type, amount_nano_usd, created_at)
         select id, 'grants', 'TOPUP', 'BONUS', 5, 0 from accounts`,
        [],
      ),
    ]);
    for (const text of ['update ledger_transfers set amount_nano_usd = 6', 'delete from ledger_transfers']) {
      await expect(store.commit([statement(text, [])])).rejects.toMatchObject({ kind: 'constraint' });
    }
  });
});
