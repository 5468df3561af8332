import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { createAccount } from '../../accounts/create-account.ts';
import { scriptText } from '../../engines/scripted/scripted-engine.ts';
import { createBrowser } from '../__fixtures__/browser.ts';
import { openPlatformApp } from '../__fixtures__/open-platform-app.ts';
import { testModelId } from '../__fixtures__/wire.ts';

async function openWithAdmin(kind: 'sqlite' | 'postgres') {
  const platform = await openPlatformApp(kind, { script: () => scriptText('x') });
  const root = { email: 'root@example.org', password: 'long enough' };
  await createAccount(platform.store, { ...root, isAdmin: true, openingCreditNanoUsd: 0n });
  const admin = createBrowser(platform.app);
  await admin.post('/api/auth/sign-in', root);
  return { platform, admin };
}

describe.each(storeKinds)('prices on %s', (kind) => {
  it('are changed by adding a version; what is left out stays', async () => {
    const { platform, admin } = await openWithAdmin(kind);
    const url = `/api/admin/prices/${testModelId}`;
    const before = (await admin.send({ url: '/api/admin/prices' })).json().data;
    expect(before).toMatchObject([{ model: testModelId, current: { input_usd: 1.15, output_usd: 8 } }]);
    const first = (await platform.chat()).json().meta.usage.usd_spent;
    const changed = await admin.send({
      method: 'PUT',
      url,
      payload: { input_usd: '0.000000001', output_usd: 0 },
    });
    expect(changed.json().data).toMatchObject({
      version: before[0].version + 1,
      current: { input_usd: 1e-9, cached_input_usd: 0.15, output_usd: 0 },
    });
    expect(changed.json().data.history).toHaveLength(before[0].history.length + 1);
    const rows = await platform.store.db
      .selectFrom('ledger_transfers')
      .select('amount_nano_usd')
      .where('type', '=', 'MODEL_USAGE')
      .execute();
    expect(rows.map((row) => Number(row.amount_nano_usd) / 1e9)).toEqual([first]);
  });
});

describe('administration of the server', () => {
  it.each([
    [{ input_usd: -1 }, 'input_usd'],
    [{ output_usd: 'much' }, 'output_usd'],
    [{ output_usd: 1e-10 }, 'output_usd'],
    [{}, undefined],
  ])('refuses the price %j', async (payload, param) => {
    const { admin } = await openWithAdmin('sqlite');
    const url = `/api/admin/prices/${testModelId}`;
    const answer = await admin.send({ method: 'PUT', url, payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error.param ?? undefined).toBe(param);
  });

  it('prices no model that nobody has heard of', async () => {
    const { admin } = await openWithAdmin('sqlite');
    const url = '/api/admin/prices/acme/unknown';
    const answer = await admin.send({ method: 'PUT', url, payload: { input_usd: 1 } });
    expect(answer.json().error.code).toBe('model_not_found');
  });

  it('shows models, engines and the machine', async () => {
    const { admin } = await openWithAdmin('sqlite');
    const [model] = (await admin.send({ url: '/api/admin/models' })).json().data;
    expect(model).toMatchObject({ id: testModelId, state: 'ready', backing: { is_schema_enforced: true } });
    const [engine] = (await admin.send({ url: '/api/admin/engines' })).json().data;
    expect(engine).toMatchObject({ kind: 'scripted', state: 'ready', models: [testModelId], stats: null });
    const system = (await admin.send({ url: '/api/admin/system' })).json().data;
    expect(system).toMatchObject({ store: { kind: 'sqlite' }, readiness: { is_ready: true }, jobs: [] });
  });
});
