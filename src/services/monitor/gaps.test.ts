import { describe, expect, it } from 'vitest';
import { gapsOf } from './gaps.ts';

const at = (day: number, hours = 2): string => new Date(Date.UTC(2026, 0, day, hours)).toISOString();

describe('gapsOf', () => {
  it.each([
    { name: 'night after night', times: [at(1), at(2), at(3)], nights: [] },
    { name: 'a night that came late', times: [at(1), at(2, 9), at(3)], nights: [] },
    { name: 'one missed', times: [at(1), at(3), at(4)], nights: [1] },
    { name: 'several, in any order', times: [at(12), at(1), at(2), at(5)], nights: [2, 6] },
    { name: 'two runs of one time', times: [at(1), at(1), at(2)], nights: [] },
    { name: 'a single night', times: [at(1)], nights: [] },
  ])('tells $name', ({ times, nights }) => {
    expect(gapsOf(times, 24).map((gap) => gap.nights)).toEqual(nights);
  });

  it('names the nights on either side', () => {
    expect(gapsOf([at(1), at(4)], 24)).toEqual([{ after: at(1), before: at(4), nights: 2 }]);
  });
});
