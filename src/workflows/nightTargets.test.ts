import { expect, it } from 'vitest';
import { wants } from './nightTargets.ts';

const nights = {
  quiet: { regression: false, changed: false },
  worse: { regression: true, changed: true },
  'still worse': { regression: true, changed: false },
  recovered: { regression: false, changed: true },
};

it.each([
  ['regression', ['worse', 'still worse']],
  ['change', ['worse', 'recovered']],
  ['always', ['quiet', 'worse', 'still worse', 'recovered']],
] as const)('a target for "%s" hears of %j', (when, heard) => {
  const target = { urlEnv: 'HOOK', format: 'json', when } as const;
  const told = Object.entries(nights).flatMap(([name, night]) => (wants(target, night) ? [name] : []));
  expect(told).toEqual(heard);
});
