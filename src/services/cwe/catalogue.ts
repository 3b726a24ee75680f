/** MITRE's catalogue, read once from the package `cwe-sdk`; of its 8 MB only names, levels and the tree stay in memory. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { z } from 'zod';

/** Pillars are the most abstract entries, variants the most concrete; a compound is a chain of several. */
const abstractionSchema = z.enum(['Pillar', 'Class', 'Base', 'Variant', 'Compound']);
export type Abstraction = z.infer<typeof abstractionSchema>;

export interface Weakness {
  readonly cwe: string;
  readonly name: string;
  readonly abstraction: Abstraction;
  /** MITRE advises against mapping a real weakness to this entry, mostly because it says too little. */
  readonly discouraged: boolean;
  /** Parents in the research view (CWE-1000), the primary one first. */
  readonly parents: readonly string[];
  /** Its one category in the comprehensive view (CWE-1400), e.g. "1399"; null for the few that have none. */
  readonly category: string | null;
}

const relationSchema = z.object({
  attr: z.object({
    '@_Nature': z.string(),
    '@_CWE_ID': z.string(),
    '@_View_ID': z.string(),
    '@_Ordinal': z.string().optional(),
  }),
});
const entrySchema = z.object({
  attr: z.object({ '@_Name': z.string(), '@_Abstraction': abstractionSchema, '@_Status': z.string() }),
  Related_Weaknesses: z
    .object({ Related_Weakness: z.union([relationSchema, z.array(relationSchema)]) })
    .optional(),
  Mapping_Notes: z.object({ Usage: z.string() }).optional(),
});
const dictionarySchema = z.record(z.string(), entrySchema);
const membershipsSchema = z.array(z.object({ weaknessId: z.string(), memberships: z.array(z.string()) }));

const RESEARCH_VIEW = '1000';
/** The categories of view 1400 put every weakness into exactly one. */
const FIRST_CATEGORY = 1396;
const LAST_CATEGORY = 1418;

const resolve = createRequire(import.meta.url);

/** Name and version of the package that the catalogue came with. */
export function catalogueVersion(): string {
  const { version } = z.object({ version: z.string() }).parse(readJson('cwe-sdk/package.json'));
  return `cwe-sdk ${version}`;
}

let loaded: ReadonlyMap<string, Weakness> | null = null;

/** Every weakness that is not deprecated, by "CWE-89". The first call takes about 100 ms. */
export function catalogue(): ReadonlyMap<string, Weakness> {
  loaded ??= readCatalogue();
  return loaded;
}

/** The official name; null for what the catalogue lacks. */
export function cweName(cwe: string): string | null {
  return catalogue().get(cwe)?.name ?? null;
}

/** False for made-up numbers, for categories and views, and for deprecated entries. */
export function isKnownCwe(cwe: string): boolean {
  return catalogue().has(cwe);
}

/** Direct parents in the research view, the primary one first. */
export function parentsOf(cwe: string): readonly string[] {
  return catalogue().get(cwe)?.parents ?? [];
}

let children: ReadonlyMap<string, readonly string[]> | null = null;

/** Everything below, at any depth and by any parent; not the entry itself. */
export function descendantsOf(cwe: string): ReadonlySet<string> {
  children ??= childrenByParent();
  const found = new Set<string>();
  const open = [cwe];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const child of children.get(next) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      open.push(child);
    }
  }
  return found;
}

/** "CWE-89 SQL Injection": MITRE's short name where it gives one, the whole name otherwise. */
export function describeCwe(cwe: string): string {
  const name = cweName(cwe);
  if (name === null) return cwe;
  const short = /\('(.+)'\)$/u.exec(name)?.[1];
  return `${cwe} ${short ?? name}`;
}

function readCatalogue(): ReadonlyMap<string, Weakness> {
  const dictionary = dictionarySchema.parse(readJson('cwe-sdk/raw/cwe-dictionary.json'));
  const memberships = membershipsSchema.parse(readJson('cwe-sdk/raw/cwe-memberships.json'));
  const categories = new Map(
    memberships.map(({ weaknessId, memberships }) => [weaknessId, memberships.find(isCategory) ?? null]),
  );
  const weaknesses = new Map<string, Weakness>();
  for (const [id, entry] of Object.entries(dictionary)) {
    if (entry.attr['@_Status'] === 'Deprecated') continue;
    const usage = entry.Mapping_Notes?.Usage;
    weaknesses.set(`CWE-${id}`, {
      cwe: `CWE-${id}`,
      name: entry.attr['@_Name'],
      abstraction: entry.attr['@_Abstraction'],
      discouraged: usage === 'Discouraged' || usage === 'Prohibited',
      parents: researchParents(entry),
      category: categories.get(id) ?? null,
    });
  }
  return weaknesses;
}

function researchParents({ Related_Weaknesses: related }: z.infer<typeof entrySchema>): string[] {
  if (related === undefined) return [];
  return [related.Related_Weakness]
    .flat()
    .map(({ attr }) => attr)
    .filter((attr) => attr['@_Nature'] === 'ChildOf' && attr['@_View_ID'] === RESEARCH_VIEW)
    .toSorted((a, b) => Number(b['@_Ordinal'] === 'Primary') - Number(a['@_Ordinal'] === 'Primary'))
    .map((attr) => `CWE-${attr['@_CWE_ID']}`);
}

function isCategory(id: string): boolean {
  return Number(id) >= FIRST_CATEGORY && Number(id) <= LAST_CATEGORY;
}

function childrenByParent(): ReadonlyMap<string, readonly string[]> {
  const byParent = new Map<string, string[]>();
  for (const { cwe, parents } of catalogue().values()) {
    for (const parent of parents) byParent.set(parent, [...(byParent.get(parent) ?? []), cwe]);
  }
  return byParent;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(resolve.resolve(file), 'utf8'));
}
