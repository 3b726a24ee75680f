import { defineConfig } from 'vitest/config';

const shared = { pool: 'forks', testTimeout: 60_000, hookTimeout: 120_000 } as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: { ...shared, name: 'unit', include: ['src/**/*.test.ts', 'infra/**/*.test.ts'], maxWorkers: 2 },
      },
      // Real servers, kills and clocks: one file at a time.
      { test: { ...shared, name: 'system', include: ['test/**/*.test.ts'], fileParallelism: false } },
    ],
  },
});
