import { expect, it } from 'vitest';
import { defaultBootstrap } from '../metrics/index.ts';
import { denominatorOf, tallyOf, type TaskPattern } from '../metrics/testVerdicts.ts';
import { compareVariants, type GradedVariant } from './compare.ts';

function graded(patterns: readonly TaskPattern[], changes: Partial<GradedVariant> = {}): GradedVariant {
  const { tasks, samplesPerTask } = denominatorOf(patterns);
  return {
    tasks,
    samplesPerTask,
    prompt: 'none',
    tallies: tallyOf(patterns),
    metric: 'funcSec',
    k: 1,
    ...changes,
  };
}

const tasks = (samples: string): TaskPattern[] =>
  Array.from({ length: 12 }, (_, index) => ({ taskId: `t${index}`, samples }));

it('is the mean over tasks of what the variant solves more', () => {
  const compared = compareVariants(graded(tasks('bn')), graded(tasks('bb')), defaultBootstrap);
  // Twelve scenarios, all one way: two of 2^12 sign patterns are as far.
  expect(compared).toMatchObject({ difference: { value: 0.5, n: 24, pValue: 2 / 2 ** 12 } });
});

it('finds nothing between equal ones', () => {
  const compared = compareVariants(graded(tasks('bn')), graded(tasks('bn')), defaultBootstrap);
  expect(compared).toMatchObject({ difference: { value: 0, pValue: 1 } });
});

const reference = graded(tasks('bn'));
it.each([
  ['other samples', graded(tasks('b')), '1 samples a task, the reference 2'],
  ['other tries', graded(tasks('bn'), { k: 2 }), 'of 2 tries'],
  ['another prompt', graded(tasks('bn'), { prompt: 'generic' }), 'the prompt "generic"'],
  ['fewer tasks', graded(tasks('bn').slice(1)), "1 of the reference's are missing, 0 are its own"],
  [
    'other tests',
    graded(tasks('bn'), { tasks: reference.tasks.map((task) => ({ ...task, testsSha256: '1'.repeat(64) })) }),
    '12 tasks have other prompts or tests',
  ],
])('does not compare what was asked with %s', (_, variant, why) => {
  const compared = compareVariants(reference, variant, defaultBootstrap);
  expect('notCompared' in compared ? compared.notCompared : '').toContain(why);
});
