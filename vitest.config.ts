import { defineConfig } from 'vitest/config';

const shared = { pool: 'forks', testTimeout: 60_000, hookTimeout: 120_000 } as const;

/** Tests of trainings and stages under real kills, held to a clock, with all cores at work: one at a time. */
const timed = ['test/chain/{engine,train,trainFaults}.test.ts'];
/** Held to a clock too, but mostly waiting: after what keeps the cores busy. */
const clocked = [
  'test/budget/**/*.test.ts',
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
          exclude: [...clocked, ...timed],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'clocked',
          include: clocked,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...shared,
          name: 'timed',
          include: timed,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
