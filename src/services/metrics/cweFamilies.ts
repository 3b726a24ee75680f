/** Which weaknesses count as seen in training. */

/** Child → parent in MITRE's research view (CWE-1000), where a model that learned one has learned the other. */
const PARENT: Readonly<Record<string, string>> = {
  'CWE-23': 'CWE-22',
  'CWE-36': 'CWE-22',
  'CWE-78': 'CWE-77',
  'CWE-88': 'CWE-77',
  'CWE-80': 'CWE-79',
  'CWE-89': 'CWE-943',
  'CWE-564': 'CWE-89',
  'CWE-113': 'CWE-93',
  'CWE-95': 'CWE-94',
  'CWE-96': 'CWE-94',
  'CWE-117': 'CWE-116',
  'CWE-121': 'CWE-787',
  'CWE-122': 'CWE-787',
  'CWE-120': 'CWE-119',
  'CWE-125': 'CWE-119',
  'CWE-787': 'CWE-119',
  'CWE-276': 'CWE-732',
  'CWE-331': 'CWE-330',
  'CWE-335': 'CWE-330',
  'CWE-338': 'CWE-330',
  'CWE-378': 'CWE-377',
  'CWE-379': 'CWE-377',
  'CWE-259': 'CWE-798',
  'CWE-321': 'CWE-798',
  'CWE-759': 'CWE-916',
  'CWE-760': 'CWE-916',
};

/**
 * Seen: the weakness itself, its parent or one of its children was trained on. A classifier is free to name any
 * of them for the same code (SQL injection goes by 89 and by 943), so all three must be absent before a gain may
 * be called transfer.
 */
export function isSeen(cwe: string, trainedCwes: ReadonlySet<string>): boolean {
  if (trainedCwes.has(cwe)) return true;
  const parent = PARENT[cwe];
  if (parent !== undefined && trainedCwes.has(parent)) return true;
  return [...trainedCwes].some((trained) => PARENT[trained] === cwe);
}
