import { describe, expect, it } from 'vitest';
import { readSource } from './source-files.ts';

const routeFiles = [
  'entrance',
  'session',
  'conversations',
  'management-keys',
  'activity',
  'admin-accounts',
  'admin-entrance',
  'admin-search',
  'admin-system',
];

/** `GET /api/…` with the router's parameters as the page writes them. */
const operations = routeFiles.flatMap((name) =>
  [...readSource(`src/http/routes/${name}.ts`).matchAll(/method: '(\w+)',\s+paths: \['([^']+)'\]/g)].map(
    ([, method, path = '']) => `${method} ${path.replace(/:(\w+)/g, '{$1}').replace('*', '{model}')}`,
  ),
);

describe('docs/accounts.md', () => {
  const documented = [
    ...readSource('docs/accounts.md').matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) \/api\/[^`]+)`/g),
  ].map(([, operation = '']) => operation);

  it('lists every address of the web app that is answered, and no other', () => {
    expect(operations.length).toBeGreaterThan(45);
    expect([...new Set(documented)].toSorted()).toEqual(operations.toSorted());
  });
});
