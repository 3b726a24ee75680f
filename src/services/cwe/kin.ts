/**
 * Which entries name the same mechanism, so that whoever learned one has learned the other.
 *
 * Along the primary parents of the research view, the kin of a weakness are
 * 1. itself and all its descendants;
 * 2. its ancestors, up to and without the first that is too abstract to tell a mechanism;
 * 3. the other descendants of such an ancestor, where its children are names for one mechanism (`sharesMechanism`).
 *
 * | of | are kin | are not |
 * |---|---|---|
 * | CWE-89 SQL | 564, 943, by 943 also 90, 643 | 79, 78 (only the class 74 in common) |
 * | CWE-787 write out of bounds | 119, 120, 121, 125 | 190 |
 * | CWE-95 eval | 94 | 96, 1336 (other mechanisms under 94) |
 * | CWE-1333 regular expression | 407, 405, 400 | 409, 770 (other ways to exhaust a resource) |
 *
 * Secondary parents are left out: by them a hard-coded password (798) would be a weak random number (330).
 */
import { catalogue, type Weakness } from './catalogue.ts';

/** MITRE advises against mapping to them, and yet they tell one mechanism. */
const TELLING = new Set(['CWE-119', 'CWE-311', 'CWE-330', 'CWE-400']);

/** Allowed for mapping, yet their children have nothing to do with each other. */
const TOO_WIDE = new Set(['CWE-436', 'CWE-573', 'CWE-610', 'CWE-669', 'CWE-706', 'CWE-913', 'CWE-1390']);

/** Classes whose children are names of one mistake seen from different sides. */
const ONE_MECHANISM = new Set([
  'CWE-77',
  'CWE-119',
  'CWE-311',
  'CWE-330',
  'CWE-362',
  'CWE-377',
  'CWE-522',
  'CWE-732',
  'CWE-943',
]);

/** Bases whose children differ: eval, code written into files, templates. */
const SEVERAL_MECHANISMS = new Set(['CWE-94']);

/** Entries that MITRE files under an effect: a cookie's flag (1004) and a public field (766) as file permissions. */
const MISPLACED = new Set(['CWE-766', 'CWE-1004']);

const known = new Map<string, ReadonlySet<string>>();

/** Kin of a weakness, itself included; of an entry that the catalogue lacks only itself. */
export function kinOf(cwe: string): ReadonlySet<string> {
  const before = known.get(cwe);
  if (before !== undefined) return before;
  const kin = new Set([cwe, ...below(cwe)]);
  for (const ancestor of tellingAncestors(cwe)) {
    kin.add(ancestor.cwe);
    if (sharesMechanism(ancestor)) for (const relative of below(ancestor.cwe)) kin.add(relative);
  }
  known.set(cwe, kin);
  return kin;
}

/** Pillars, and classes that MITRE itself finds too vague to map to. */
function isTooAbstract({ cwe, abstraction, discouraged }: Weakness): boolean {
  if (TELLING.has(cwe)) return false;
  return abstraction === 'Pillar' || (abstraction === 'Class' && discouraged) || TOO_WIDE.has(cwe);
}

function sharesMechanism({ cwe, abstraction }: Weakness): boolean {
  return ONE_MECHANISM.has(cwe) || (abstraction === 'Base' && !SEVERAL_MECHANISMS.has(cwe));
}

function tellingAncestors(cwe: string): Weakness[] {
  const ancestors: Weakness[] = [];
  for (let next = primaryParent(cwe); next !== null && !isTooAbstract(next); next = primaryParent(next.cwe)) {
    ancestors.push(next);
  }
  return ancestors;
}

function primaryParent(cwe: string): Weakness | null {
  const parent = MISPLACED.has(cwe) ? undefined : catalogue().get(cwe)?.parents[0];
  return parent === undefined ? null : (catalogue().get(parent) ?? null);
}

let primaryChildren: Map<string, string[]> | null = null;

function below(cwe: string): string[] {
  if (primaryChildren === null) {
    primaryChildren = new Map();
    for (const { cwe: child, parents } of catalogue().values()) {
      const parent = parents[0];
      if (parent === undefined || MISPLACED.has(child)) continue;
      primaryChildren.set(parent, [...(primaryChildren.get(parent) ?? []), child]);
    }
  }
  return (primaryChildren.get(cwe) ?? []).flatMap((child) => [child, ...below(child)]);
}
