import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { bookTopUp } from '../../billing/ledger.ts';
import { createBarrier } from '../../engines/scripted/barrier.ts';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import { testNowMs } from '../__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';

const script = () => scriptText('x');
/** 10 tokens at 1.15 and one at 8.00 dollars per million. */
const turnUsd = 0.0000195;

describe.each(storeKinds)('the balance on %s', (kind) => {
  it('200: is the same to every endpoint, and falls with every charge', async () => {
    const app = await openPlatformApp(kind, { script });
    const chatted = await app.chat();
    expect(chatted.json().meta.usage).toEqual({ credits_used: 39, usd_spent: turnUsd });
    const balance = 10 - turnUsd;
    for (const secret of [app.key, app.managementKey]) {
      const ask = async (url: string) => await app.send({ url }, secret).then((answer) => answer.json());
      expect(await ask('/v2/billing')).toEqual({ current_balance: balance, currency: 'USD' });
      expect(await ask('/v2/billing/detail')).toEqual({
        user_id: app.accountId,
        email: 'ada@example.org',
        current_balance: balance,
        currency: 'USD',
        autotopup_settings: { is_enabled: false, threshold: 0, amount: 0, currency: 'USD' },
      });
      expect(await ask('/v1/billing/balance')).toEqual({
        balance: 20_000_000 - 39,
        lowBalance: false,
        lowBalanceThreshold: 10_000,
        lastUpdated: new Date(testNowMs).toISOString(),
        autoDebitStatus: 'disabled',
        status: 'current',
        statusExplanation: 'Balance is current and up to date',
      });
      expect(await ask('/v1/users/me/balance')).toEqual({
        code: 0,
        data: { available_balance: balance, voucher_balance: 0, cash_balance: balance },
        scode: '0x0',
        status: true,
      });
    }
  });

  it('200: what a running request has reserved is not available, but still the account’s', async () => {
    const barrier = createBarrier();
    const app = await openPlatformApp(kind, {
      script: () => [{ type: 'wait', barrier }, ...scriptText('x')],
      outputTokensMax: 1_000,
    });
    const chatting = app.chat();
    await barrier.reached();
    const available = (await app.send({ url: '/v1/users/me/balance' })).json().data.available_balance;
    // 10 tokens at 1.15 and a thousand at 8.00 dollars per million.
    expect(available).toBe(10 - 0.0080115);
    expect((await app.send({ url: '/v2/billing' })).json().current_balance).toBe(10);
    barrier.open();
    await chatting;
  });

  it('401: is closed without a key', async () => {
    const app = await openPlatformApp(kind);
    for (const url of ['/v2/billing', '/v2/billing/detail', '/v1/billing/balance', '/v1/users/me/balance']) {
      expect((await app.send({ url }, 'none')).statusCode).toBe(401);
    }
  });
});

async function list(app: PlatformApp, query: Record<string, string | readonly string[]> = {}) {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name, each]),
  );
  return await app.send({ url: `/v2/billing/transactions?${new URLSearchParams(pairs)}` });
}

describe.each(storeKinds)('GET /v2/billing/transactions on %s', (kind) => {
  it('200: lists what moved, newest first, by inference id', async () => {
    const app = await openPlatformApp(kind, { script });
    app.setNow(testNowMs + 1_000);
    const inferenceId = (await app.chat()).headers['x-inference-id'];
    const answer = await list(app);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      data: [
        {
          created_at: new Date(testNowMs + 1_000).toISOString(),
          direction: 'CHARGE',
          type: 'MODEL_USAGE',
          amount: { usd: turnUsd, credits: 39 },
          model: 'moonshot/kimi-k2-turbo-preview',
          reference_id: inferenceId,
        },
        {
          created_at: new Date(testNowMs).toISOString(),
          direction: 'TOPUP',
          type: 'INIT',
          amount: { usd: 10, credits: 20_000_000 },
          model: null,
          reference_id: null,
        },
      ],
      pagination: { next_cursor: null, has_more: false },
    });
  });

  it('200: a failed request is not in it', async () => {
    const app = await openPlatformApp(kind, {
      script: () => [{ type: 'fail', error: new ApiError('engine_failed') }],
    });
    expect((await app.chat()).statusCode).toBe(500);
    expect((await list(app, { direction: 'CHARGE' })).json().data).toEqual([]);
  });

  it('200: pages through everything exactly once, whatever is booked meanwhile', async () => {
    const app = await openPlatformApp(kind);
    const book = async (amountNanoUsd: bigint) =>
      await app.store.commit(
        bookTopUp({ account: { id: app.accountId }, type: 'BONUS', amountNanoUsd, createdAt: testNowMs }),
      );
    for (let amount = 1n; amount <= 6n; amount += 1n) await book(amount * 500n);
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const page = await list(app, { type: 'BONUS', limit: '4', ...(cursor !== null && { cursor }) });
      const { data, pagination } = page.json();
      seen.push(...data.map(({ amount }: { amount: { credits: number } }) => amount.credits));
      expect(pagination.has_more).toBe(pagination.next_cursor !== null);
      cursor = pagination.next_cursor;
      await book(99_000n);
    } while (cursor !== null);
    expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
  });

  it('200: filters by time, direction and kind together', async () => {
    const app = await openPlatformApp(kind, { script });
    app.setNow(testNowMs + 60_000);
    await app.chat();
    const count = async (query: Record<string, string>) => (await list(app, query)).json().data.length;
    const at = (ms: number) => new Date(ms).toISOString();
    expect(await count({ from: at(testNowMs + 60_000) })).toBe(1);
    expect(await count({ to: at(testNowMs + 60_000) })).toBe(1);
    expect(await count({ from: '2026-01-02T08:34:05+05:30', to: at(testNowMs + 60_001) })).toBe(2);
    expect(await count({ direction: 'TOPUP' })).toBe(1);
    expect(await count({ direction: 'TOPUP', type: 'MODEL_USAGE' })).toBe(0);
  });

  it('400: names the parameter that cannot be used', async () => {
    const app = await openPlatformApp(kind);
    const cases: readonly (readonly [Record<string, string | readonly string[]>, string])[] = [
      [{ limit: '0' }, 'limit'],
      [{ limit: '101' }, 'limit'],
      [{ limit: '1.5' }, 'limit'],
      [{ limit: '' }, 'limit'],
      [{ limit: ['1', '2'] }, 'limit'],
      [{ direction: 'charge' }, 'direction'],
      [{ type: 'GIFT' }, 'type'],
      [{ from: '2026-08-01T00:00:00' }, 'from'],
      [{ from: '2026-02-30T00:00:00Z' }, 'from'],
      [{ from: 'yesterday' }, 'from'],
      [{ from: '2026-08-01T00:00:00Z', to: '2026-08-01T00:00:00Z' }, 'to'],
      [{ cursor: '' }, 'cursor'],
    ];
    for (const [query, param] of cases) {
      const answer = await list(app, query);
      expect([query, answer.statusCode]).toEqual([query, 400]);
      expect(answer.json().error.param).toBe(param);
      expect(answer.json().message).toContain(`Query validation error: ${param}: `);
    }
  });

  it('400: takes a cursor only as it was issued, and only from the same account', async () => {
    const app = await openPlatformApp(kind, { script });
    await app.chat();
    const cursor: string = (await list(app, { limit: '1' })).json().pagination.next_cursor;
    expect((await list(app, { cursor })).json().data).toHaveLength(1);
    const [position = '', seal = ''] = cursor.split('.');
    for (const other of [
      `${cursor}=`,
      ` ${cursor}`,
      position,
      `${Buffer.from('1:1').toString('base64url')}.${seal}`,
      `${position}.${seal.slice(1)}`,
      `${position}.${seal.slice(0, -1)}${seal.endsWith('A') ? 'B' : 'A'}`,
    ]) {
      expect([other, (await list(app, { cursor: other })).statusCode]).toEqual([other, 400]);
    }
    const url = `/v2/billing/transactions?cursor=${cursor}`;
    expect((await app.send({ url }, await app.addStranger())).statusCode).toBe(400);
  });

  it('401: is closed without a key', async () => {
    const app = await openPlatformApp(kind);
    expect((await app.send({ url: '/v2/billing/transactions' }, 'none')).statusCode).toBe(401);
  });

  it('403: is closed to management keys', async () => {
    const app = await openPlatformApp(kind);
    const answer = await app.send({ url: '/v2/billing/transactions' }, app.managementKey);
    expect(answer.statusCode).toBe(403);
    expect(answer.json().error).toMatchObject({ type: 'permission_denied_error', code: 'scope_denied' });
  });
});
