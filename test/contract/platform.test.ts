/**
 * The platform's OpenAPI files against our document and against real answers: every operation, parameter, request
 * field and answer field that they list is documented, and what is really sent is valid by them.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import type { InjectOptions } from 'fastify';
import { describe, expect, it } from 'vitest';
import { scriptText } from '../../src/engines/scripted/scripted-engine.ts';
import { createTestApp, testNowMs } from '../../src/http/__fixtures__/create-test-app.ts';
import { openPlatformApp, type PlatformApp } from '../../src/http/__fixtures__/open-platform-app.ts';
import { asSchema, flattenSchema, fromOpenApi30, listOf, pick, type Schema } from './flatten-schema.ts';

interface Operation {
  /** The file's name, without `.json`. */
  readonly file: string;
  readonly path: string;
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** A request whose answer is held against the file. */
  readonly sample: (app: PlatformApp) => { readonly request: InjectOptions; readonly secret?: string };
}

/** A GET that a regular key may send as it is. */
const getOf = (file: string, path: string, query = ''): Operation => ({
  file,
  path,
  method: 'get',
  sample: () => ({ request: { url: path + query } }),
});

const operations: readonly Operation[] = [
  {
    file: 'keys-post',
    path: '/v1/keys',
    method: 'post',
    sample: ({ managementKey }) => ({
      request: {
        method: 'POST',
        url: '/v1/keys',
        payload: { name: 'a', limit: { retention: 'day', threshold: 25 }, scopes: ['model:chat'] },
      },
      secret: managementKey,
    }),
  },
  {
    file: 'keys-get',
    path: '/v1/keys',
    method: 'get',
    sample: ({ managementKey }) => ({ request: { url: '/v1/keys' }, secret: managementKey }),
  },
  {
    file: 'keys-patch',
    path: '/v1/keys/{prefix}',
    method: 'patch',
    sample: ({ managementKey, key }) => ({
      request: {
        method: 'PATCH',
        url: `/v1/keys/${key.slice(0, 8)}`,
        payload: { name: 'b', scopes: ['model:chat'] },
      },
      secret: managementKey,
    }),
  },
  getOf('key-get', '/v1/key'),
  {
    file: 'keys-delete',
    path: '/v1/keys/{prefix}',
    method: 'delete',
    sample: ({ managementKey, key }) => ({
      request: { method: 'DELETE', url: `/v1/keys/${key.slice(0, 8)}` },
      secret: managementKey,
    }),
  },
  getOf('billing-v2', '/v2/billing'),
  getOf('billing-detail-v2', '/v2/billing/detail'),
  getOf('billing-transactions-v2', '/v2/billing/transactions'),
  getOf('billing-balance-v1', '/v1/billing/balance'),
  getOf('usage-v2', '/v2/usage', '?period=24h'),
  getOf('usage-detail-v2', '/v2/usage/detail', '?period=7d&group_by=day,model&tz=Asia/Kolkata'),
  getOf('logs-v2', '/v2/logs', '?period=7d'),
  getOf('models', '/v1/models', '?include=all'),
  getOf('model-metrics', '/models/metrics'),
];

/** What the contract's answers list and ours never contain. */
const neverSent = [
  // Nobody publishes these of a name that any weights may stand behind, and there are no pages to point at.
  'data[].info.releasedAt',
  'data[].info.cutoffAt',
  'data[].info.url',
  'data[].info.docsUrl',
  'data[].info.docsJson',
  // Prices are fixed per token.
  'data[].pricing.dimensions',
  'data[].pricing.dimensions[]',
  'data[].pricing.variants',
  'data[].pricing.variants[]',
];
const neverValues: Readonly<Record<string, readonly string[]>> = {
  'data[].pricing.kind': ['variants', 'variable'],
};

/** `scopes` also holds scopes of ours, so it is no enum in answers. */
const openEnums = ['data.scopes[]', 'data[].scopes[]'];

const ours: unknown = JSON.parse((await createTestApp().app.inject({ url: '/openapi.json' })).body);
const resolve = (ref: string): Schema => pick(ours, ...ref.split('/').slice(1));
const unresolvable = (ref: string): Schema => {
  throw new Error(`the contract has no references, but here is ${ref}`);
};
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajvFormats.default(ajv);
ajv.addSchema(asSchema(ours), 'ours');

const jsonOf = (node: unknown): Schema => pick(node, 'content', 'application/json', 'schema');

describe.each(operations)('$method $path', ({ file, path, method, sample }) => {
  const document: unknown = JSON.parse(
    readFileSync(new URL(`./fixtures/platform/${file}.json`, import.meta.url), 'utf8'),
  );
  const promised = pick(document, 'paths', path, method);
  const documented = pick(ours, 'paths', path, method);

  it('documents every parameter', () => {
    const namesOf = (operation: Schema) =>
      listOf(operation.parameters).map((parameter) => {
        const { name, in: place, required } = asSchema(parameter);
        return `${place} ${name} ${required === true}`;
      });
    expect(namesOf(documented)).toEqual(expect.arrayContaining(namesOf(promised)));
  });

  it('documents every field and value of the body', () => {
    // Bodies of GET are an artefact of the contract's generator: their schema has the type "–".
    if (method === 'get' || promised.requestBody === undefined) {
      expect(documented.requestBody).toBeUndefined();
      return;
    }
    expectFields(
      flattenSchema(jsonOf(promised.requestBody), unresolvable),
      flattenSchema(jsonOf(documented.requestBody), resolve),
    );
  });

  it('documents every field and value of the answer', () => {
    expectFields(
      flattenSchema(jsonOf(pick(promised, 'responses', '200')), unresolvable),
      flattenSchema(jsonOf(pick(documented, 'responses', '200')), resolve),
    );
  });

  it('really answers as both documents say', async () => {
    const app = await openPlatformApp('sqlite', { script: () => scriptText('x') });
    await app.chat();
    // A window that ends now does not hold what began now.
    app.setNow(testNowMs + 1);
    const { request, secret } = sample(app);
    const answer = await app.send(request, secret);
    expect([answer.statusCode, answer.body]).toEqual([200, answer.body]);
    const body = answer.json();
    const byContract = ajv.compile(
      asSchema(fromOpenApi30(jsonOf(pick(correct(document), 'paths', path, method, 'responses', '200')))),
    );
    expect([byContract(body), byContract.errors]).toEqual([true, null]);
    const pointer = `paths/${path.replaceAll('/', '~1')}/${method}/responses/200`;
    const byUs = ajv.compile({ $ref: `ours#/${pointer}/content/application~1json/schema` });
    expect([byUs(body), byUs.errors]).toEqual([true, null]);
  });
});

/** Slips of the contract's files that no answer could satisfy. */
function correct(document: unknown): unknown {
  const corrected = structuredClone(document);
  const detail = asSchema(pick(corrected, 'paths')['/v2/billing/detail'] ?? {});
  if ('get' in detail) {
    // It demands the account's own fields inside the settings of auto top-up.
    const schema = jsonOf(pick(detail, 'get', 'responses', '200'));
    Object.assign(pick(schema, 'properties', 'autotopup_settings'), { required: [] });
  }
  return corrected;
}

function expectFields(
  promised: ReturnType<typeof flattenSchema>,
  documented: ReturnType<typeof flattenSchema>,
): void {
  expect(
    [...promised.keys()].filter((field) => !documented.has(field) && !neverSent.includes(field)),
  ).toEqual([]);
  for (const [field, { values }] of promised) {
    const known = documented.get(field)?.values;
    const missing = openEnums.includes(field)
      ? []
      : [...values].filter((value) => !known?.has(value) && !neverValues[field]?.includes(String(value)));
    expect([field, missing]).toEqual([field, []]);
  }
}
