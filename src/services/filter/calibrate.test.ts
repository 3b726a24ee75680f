import { expect, test } from 'vitest';
import { enforceGate, measureAgreement, type Judgement } from './calibrate.ts';

const times = (count: number, judgement: Judgement): Judgement[] =>
  Array.from({ length: count }, () => judgement);
const judgements = [
  ...times(45, { labelled: true, said: true }),
  ...times(5, { labelled: false, said: true }),
  ...times(15, { labelled: true, said: false }),
  ...times(35, { labelled: false, said: false }),
];

test('precision, recall and F1 with exact intervals', () => {
  const { precision, recall, f1, trueNegatives } = measureAgreement(judgements);
  expect(trueNegatives).toBe(35);
  expect(precision?.value).toBeCloseTo(0.9, 12);
  // Clopper–Pearson of 45 of 50, from the tables of the beta distribution.
  expect(precision?.low).toBeCloseTo(0.7819, 3);
  expect(precision?.high).toBeCloseTo(0.9667, 3);
  expect(recall?.value).toBeCloseTo(0.75, 12);
  expect(f1?.value).toBeCloseTo((2 * 0.9 * 0.75) / (0.9 + 0.75), 12);
  expect(f1?.low).toBeLessThan(f1?.value ?? 0);
  expect(f1?.high).toBeGreaterThan(f1?.value ?? 1);
});

test('nothing called relevant is no precision, and does not pass a gate', () => {
  const agreement = measureAgreement(times(10, { labelled: true, said: false }));
  expect(agreement.precision).toBeNull();
  expect(agreement.recall?.value).toBe(0);
  expect(() => enforceGate(agreement, { labels: 'x', minPrecision: 0.5, minRecall: 0, minF1: 0 })).toThrow(
    /CALIBRATION_FAILED.*minPrecision.*not measurable/s,
  );
});

test('the gate asks for the lower end of the interval', () => {
  const agreement = measureAgreement(judgements);
  const gate = { labels: 'x', minPrecision: 0.78, minRecall: 0.6, minF1: 0.7 };
  expect(() => enforceGate(agreement, gate)).not.toThrow();
  expect(() => enforceGate(agreement, { ...gate, minPrecision: 0.85, minRecall: 0.74 })).toThrow(
    /precision is 0\.78.*below 0\.85; .*recall is 0\.6.*below 0\.74/s,
  );
});
