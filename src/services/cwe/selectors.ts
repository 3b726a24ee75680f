/** The recipe's choice of weaknesses, applied to what a row carries. */
import { cweFamilies, type CweFamily, type CweSelector } from '../../contract/rows.ts';
import { familyOf } from './families.ts';
import { kinOf } from './kin.ts';

/** True when one of `cwes` is of a selected family, or is a selected weakness or its kin. */
export function matchesSelector(cwes: readonly string[], selectors: readonly CweSelector[]): boolean {
  return selectors.some((selector) => {
    if (isFamily(selector)) return cwes.some((cwe) => familyOf(cwe) === selector);
    const kin = kinOf(selector);
    return cwes.some((cwe) => kin.has(cwe));
  });
}

function isFamily(selector: CweSelector): selector is CweFamily {
  return (cweFamilies as readonly string[]).includes(selector);
}
