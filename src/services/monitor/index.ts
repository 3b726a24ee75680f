/** Nights of a re-evaluation: what is recorded, compared, decided and told. See DESIGN.md for the statistics. */
export { decide, type DecisionPlan, type Night } from './decide.ts';
export { gapsOf } from './gaps.ts';
export { identityOf, measureNight, type MeasuredBenchmark, type NightContext } from './measure.ts';
export { powerOf, smallestDrop, type PowerDesign } from './power.ts';
export { recordNights, type RecordedNights } from './recordNights.ts';
export { openSeries, type Series, type StoredNight } from './series.ts';
export { shiftTest, type Stratum } from './shiftTest.ts';
