import { defineConfig } from 'vitest/config';

const shared = { pool: 'forks', testTimeout: 60_000, hookTimeout: 120_000 } as const;

/** Tests that hold real kills to a clock: a second file beside them would be a second cause of lateness. */
const timed = [
  'test/budget/**/*.test.ts',
  'test/chain/{engine,train,trainFaults}.test.ts',
  'test/gpu/**/*.test.ts',
  'test/llm/{client,endpoint,runRows}.test.ts',
  'test/store/faults.test.ts',
  'test/train/**/*.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['src/**/*.test.ts', 'infra/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: timed,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'timed',
          include: timed,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
