import path from 'node:path';
import { defineConfig } from 'vitest/config';

/** Whole servers, browsers and clusters that are driven to their limits: side by side they would only starve each other. */
const heavyTests = [
  'test/chaos/**/*.test.ts',
  'test/web/**/*.test.ts',
  'test/model/hostile-pages.test.ts',
  'test/model/long-window.test.ts',
  'test/page-examples/web-search.test.ts',
  'test/e2e/caching-walk.test.ts',
];

const timedTests = ['test/timed/**/*.test.ts'];

/** For each project and not for the root: a set-up that projects extend would run once for each of them. */
const shared = {
  testTimeout: 30_000,
  hookTimeout: 120_000,
  // Every store has threads and many tests have processes of their own; without it each strips the types anew.
  env: { NODE_COMPILE_CACHE: path.join(import.meta.dirname, '.cache', 'node') },
};

export default defineConfig({
  test: {
    globalSetup: ['test/services/global-setup.ts'],
    projects: [
      {
        test: {
          ...shared,
          name: 'all',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.ts'],
          exclude: [...heavyTests, ...timedTests],
          // A file keeps one core busy at the most: servers with the real model have one engine thread here.
          maxWorkers: '100%',
          // Not 0: with one worker, vitest would run that group after all others.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'heavy',
          include: heavyTests,
          fileParallelism: false,
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...shared,
          // What the contract promises in seconds is measured last and alone, or the other tests would be measured too.
          name: 'timed',
          include: timedTests,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
