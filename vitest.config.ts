import { defineConfig } from 'vitest/config';

/** Whole servers, browsers and clusters that are driven to their limits: side by side they would only starve each other. */
const heavyTests = [
  'test/chaos/**/*.test.ts',
  'test/web/**/*.test.ts',
  'test/model/hostile-pages.test.ts',
  'test/page-examples/web-search.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/services/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.ts'],
          exclude: ['test/timed/**', ...heavyTests],
          // Not 0: with one worker, vitest would run that group after all others.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'heavy',
          include: heavyTests,
          fileParallelism: false,
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          // What the contract promises in seconds is measured last and alone, or the other tests would be measured too.
          name: 'timed',
          include: ['test/timed/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
