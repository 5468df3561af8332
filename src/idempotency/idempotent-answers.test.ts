/** Several servers over one store, and servers that die. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { openTestStore, type StoreKind, storeKinds } from '../../test/services/test-stores.ts';
import { createAccount } from '../accounts/create-account.ts';
import { ApiError } from '../errors.ts';
import { type Store, statement } from '../store/store.ts';
import { deleteExpiredAnswers, type KeyedRequest } from './answer-rows.ts';
import { type AnswerInTheMaking, createIdempotentAnswers } from './idempotent-answers.ts';
import { digestRequest } from './request-digest.ts';

const now = Date.parse('2026-11-23T10:07:00Z');
const end = { headers: { 'x-inference-id': 'i-1' }, last: 'the end' };

/** A store with an account, and servers that hold leases in it. */
async function openWorld(kind: StoreKind) {
  const store = await openTestStore(kind);
  const { id: accountId } = await createAccount(store, {
    email: 'ada@example.org',
    password: 'long enough',
    isAdmin: false,
    openingCreditNanoUsd: 0n,
  });
  const request: KeyedRequest = { accountId, key: 'k', digest: 'd', inferenceId: 'i-1' };
  const openServer = async (serverId: string, at = now) => {
    await store.commit([
      statement(
        `insert into server_leases (server_id, expires_at) values (?, ?)
         on conflict (server_id) do update set expires_at = excluded.expires_at`,
        [serverId, now + 30_000],
      ),
    ]);
    const answers = createIdempotentAnswers(store, {
      serverId,
      now: () => at,
      isStoppedWithoutReaders: true,
      onError: (error) => {
        throw error;
      },
    });
    onTestFinished(() => answers.close());
    return answers;
  };
  return { store, request, openServer };
}

/** What settles a turn: the rows that keep its answer, committed. */
const makeWith = (store: Store) => async (answer: AnswerInTheMaking) => {
  answer.add('from the first word to ');
  await store.commit(answer.keep(end));
  answer.end(end);
};

async function readAll(reader: { next(): Promise<string | undefined> }): Promise<string> {
  let text = '';
  for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) text += piece;
  return text;
}

const never = () => Promise.reject(new Error('it was answered before'));

describe.each(storeKinds)('answers under a key on %s', (kind) => {
  it('are given by every server once they are kept', async () => {
    const { store, request, openServer } = await openWorld(kind);
    const [one, two] = [await openServer('one'), await openServer('two')];
    const first = await one.open(request, makeWith(store));
    expect(await readAll(first)).toBe('from the first word to the end');
    expect(first.isReplay()).toBe(false);
    const again = await two.open({ ...request, inferenceId: 'i-2' }, never);
    expect(await readAll(again)).toBe('from the first word to the end');
    expect([again.isReplay(), again.headers()]).toEqual([true, end.headers]);
  });

  it('are refused with a time to wait while another server makes them', async () => {
    const { store, request, openServer } = await openWorld(kind);
    const [one, two] = [await openServer('one'), await openServer('two')];
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const first = await one.open(request, async (answer) => {
      begun.resolve();
      await goOn.promise;
      await makeWith(store)(answer);
    });
    await begun.promise;
    const refused = await two.open({ ...request, inferenceId: 'i-2' }, never);
    await expect(refused.next()).rejects.toMatchObject({
      code: 'idempotency_conflict',
      status: 409,
      retryAfterSeconds: 5,
    });
    goOn.resolve();
    expect(await readAll(first)).toContain('the end');
  });

  it.each([
    ['its server’s lease has ended', 'next', 30_001],
    ['it is the same server, which would know of it', 'dead', 0],
  ])('are made anew after a crash in mid-turn when %s', async (_, serverId, laterMs) => {
    const { store, request, openServer } = await openWorld(kind);
    const dead = await openServer('dead');
    const begun = Promise.withResolvers<void>();
    // Killed here: nothing of this process goes on.
    await dead.open(request, async () => {
      begun.resolve();
      await new Promise(() => undefined);
    });
    await begun.promise;
    const next = await openServer(serverId, now + laterMs);
    const again = await next.open({ ...request, inferenceId: 'i-2' }, async (answer) => {
      answer.add('anew');
      await store.commit(answer.keep({ headers: {}, last: '' }));
    });
    expect([await readAll(again), again.isReplay()]).toEqual(['anew', false]);
  });

  it('that are too long are not kept, and say so instead of being made and charged again', async () => {
    const { store, request, openServer } = await openWorld(kind);
    const answers = await openServer('one');
    const long = 'x'.repeat(9 * 1_048_576);
    const first = await answers.open(request, async (answer) => {
      await store.commit(answer.keep({ headers: {}, last: long }));
      answer.end({ headers: {}, last: long });
    });
    expect(await readAll(first)).toHaveLength(long.length);
    const again = await answers.open(request, never);
    await expect(again.next()).rejects.toMatchObject({
      code: 'idempotency_conflict',
      message: expect.stringContaining('too long to be kept'),
    });
  });

  it('fail for all who wait, and free the key before they hear of it', async () => {
    const { store, request, openServer } = await openWorld(kind);
    const answers = await openServer('one');
    const goOn = Promise.withResolvers<void>();
    const fail = async () => {
      await goOn.promise;
      throw new ApiError('insufficient_balance');
    };
    const readers = [await answers.open(request, fail), await answers.open(request, never)];
    const failures = readers.map((reader) => expect(reader.next()).rejects.toMatchObject({ status: 403 }));
    goOn.resolve();
    await Promise.all(failures);
    const rows = store.db.selectFrom('idempotent_answers').selectAll();
    expect(await rows.execute()).toEqual([]);
  });

  it('leave the database when they have expired, however many', async () => {
    const { store, request } = await openWorld(kind);
    const insert = `insert into idempotent_answers (account_id, idempotency_key, request_digest, inference_id,
      server_id, created_at, expires_at) values (?, ?, 'd', 'i', 's', 0, ?)`;
    const rows = Array.from({ length: 450 }, (_, index) =>
      statement(insert, [request.accountId, `k-${index}`, index === 0 ? now + 1 : now]),
    );
    await store.commit(rows);
    await deleteExpiredAnswers(store, now);
    const left = await store.db.selectFrom('idempotent_answers').select('idempotency_key').execute();
    expect(left).toEqual([{ idempotency_key: 'k-0' }]);
  });
});

it('the digest of a request tells contents apart, and not their order', () => {
  const digest = (body: unknown) => digestRequest({ path: '/', isDeterministic: false, body });
  expect(digest({ a: 1, b: { c: [1, 2], d: null } })).toBe(digest({ b: { d: null, c: [1, 2] }, a: 1 }));
  const different: unknown[] = [
    { a: 1 },
    { a: '1' },
    { a: [1] },
    { a: { fields: [] } },
    { a: {} },
    { a: [] },
    JSON.parse('{"__proto__":{"a":1}}'),
    {},
    [],
    { fields: [['a', 1]] },
  ];
  expect(new Set(different.map(digest)).size).toBe(different.length);
});

it('a request that is nested too deeply to have a digest is refused in words', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
  const digest = (body: unknown) => digestRequest({ path: '/', isDeterministic: false, body });
  expect(digest(nested(200))).toMatch(/^[0-9a-f]{64}$/);
  for (const levels of [201, 100_000]) {
    expect(() => digest(nested(levels))).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  }
});
