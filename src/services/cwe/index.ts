/** Knowledge of MITRE's Common Weakness Enumeration, from the catalogue that the package `cwe-sdk` carries. */
export { catalogueVersion, cweName, describeCwe, descendantsOf, isKnownCwe, parentsOf } from './catalogue.ts';
export { familyOf } from './families.ts';
export { kinOf } from './kin.ts';
export { matchesSelector } from './selectors.ts';
