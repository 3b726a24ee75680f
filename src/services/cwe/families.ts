/**
 * The family of a weakness: MITRE's comprehensive categorisation (view CWE-1400), which puts each weakness into exactly
 * one category, mapped to the families of the recipe. Where a category is of no use for that (coding practices,
 * control flow), the nearest ancestor that has a family decides.
 */
import { cweFamilies, type CweFamily } from '../../contract/rows.ts';
import { catalogue } from './catalogue.ts';

/** Categories of view 1400 that are of one family. */
const FAMILY_OF_CATEGORY: Readonly<Record<string, CweFamily>> = {
  '1396': 'access-control',
  '1399': 'memory-safety',
  '1401': 'concurrency',
  // Encryption, and randomness.
  '1402': 'crypto',
  '1414': 'crypto',
  // Exposed resource: files and state that the wrong party reaches.
  '1403': 'access-control',
  '1404': 'path',
  '1406': 'input-validation',
  // Neutralisation, and injection proper.
  '1407': 'injection',
  '1409': 'injection',
  // Wrong calculation: in practice of a size, an index or a pointer.
  '1408': 'memory-safety',
  '1411': 'access-control',
  '1416': 'resource',
  '1417': 'information-exposure',
};

/** Entries that MITRE files by their cause while their effect, or the cure, is of another family. */
const OVERRIDES: Readonly<Record<CweFamily, readonly number[]>> = {
  // The pillar above all neutralisation.
  injection: [707],
  // Termination and lengths of strings, null and wild pointers, unsafe C functions, uninitialised and mistyped memory.
  'memory-safety': [130, 170, 192, 194, 195, 196, 197, 242, 456, 457, 476, 676, 681, 704, 843, 908, 909],
  path: [73, 98, 426, 427, 428, 706],
  // Certificates, integrity, keys, downgrades.
  crypto: [295, 296, 297, 298, 299, 321, 322, 353, 354, 494, 649, 757, 924],
  'access-control': [250, 269, 284, 602, 610, 614, 642, 807, 862, 922],
  // Data decides which objects, classes and attributes come to be (OWASP's "data integrity" holds 502 and 915 alike).
  deserialisation: [470, 502, 913, 914, 915],
  // Failing is an outage: unhandled conditions, endless loops and recursion, division by zero.
  resource: [248, 369, 617, 674, 672, 703, 834, 835],
  'information-exposure': [489],
  // An upload's type is to be checked, as is the shape of a value.
  'input-validation': [185, 186, 434, 444, 625, 777, 1025],
  concurrency: [],
};

const overridden: ReadonlyMap<string, CweFamily> = new Map(
  cweFamilies.flatMap((family) => OVERRIDES[family].map((id): [string, CweFamily] => [`CWE-${id}`, family])),
);

/** Null for what is no security weakness of one kind (style, documentation, hardware) and for unknown entries. */
export function familyOf(cwe: string): CweFamily | null {
  const weakness = catalogue().get(cwe);
  if (weakness === undefined) return null;
  const own = overridden.get(cwe) ?? FAMILY_OF_CATEGORY[weakness.category ?? ''];
  if (own !== undefined) return own;
  const parent = weakness.parents[0];
  return parent === undefined ? null : familyOf(parent);
}
