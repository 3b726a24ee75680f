/**
 * semgrep with rules that lie on this machine: its registry needs the network. SEMGREP_RULES names a file or folder of
 * rules; without it the rules that come with njsscan (JavaScript and TypeScript) are taken where that is installed.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { byPosition, positionOf } from '../../distill/analyserTools.ts';
import type { AnalyserReport } from '../../distill/callAnalyser.ts';
import {
  findProgram,
  limited,
  namedByExtension,
  outputOf,
  versionIn,
  type AnalyserHost,
  type FindTool,
} from './tool.ts';

const GIB = 1024 ** 3;
const COUNTED_SEVERITIES = new Set(['WARNING', 'ERROR', 'MEDIUM', 'HIGH', 'CRITICAL']);
const OPTIONS = [
  '--json',
  '--quiet',
  '--metrics=off',
  '--disable-version-check',
  // Comments that would silence a rule count for nothing.
  '--disable-nosem',
  '--no-git-ignore',
  '--jobs=1',
  '--timeout=10',
  '--max-memory=2000',
];
/** Of our languages: the file name's extension, and what rules call it. */
const LANGUAGES: Readonly<Record<string, { readonly extension: string; readonly names: readonly string[] }>> =
  {
    python: { extension: 'py', names: ['python', 'python3', 'py'] },
    javascript: { extension: 'js', names: ['javascript', 'js'] },
    typescript: { extension: 'ts', names: ['typescript', 'ts'] },
    c: { extension: 'c', names: ['c'] },
    'c++': { extension: 'cpp', names: ['cpp', 'c++'] },
    go: { extension: 'go', names: ['go', 'golang'] },
  };
/** Rules of these look at any text. */
const ANY_LANGUAGE = ['generic', 'regex'];

const reportSchema = z.object({
  results: z.array(
    z.object({
      check_id: z.string(),
      path: z.string(),
      start: z.object({ line: z.number() }),
      extra: z.object({ severity: z.string() }),
    }),
  ),
  errors: z.array(z.object({ path: z.string().optional(), type: z.unknown(), level: z.string() })),
  paths: z.object({ scanned: z.array(z.string()) }),
});

export const findSemgrep: FindTool = async (host) => {
  const path = await findProgram(host, 'semgrep');
  if (path === null)
    return {
      remedy:
        'Install semgrep, and rules for it: `pip install semgrep njsscan` for the Python of SECPI_PYTHON; SEMGREP_RULES may name a file or folder of other rules.',
    };
  const rules = await findRules(host);
  if (rules === null)
    return {
      remedy:
        'Set SEMGREP_RULES to a file or folder of rules on this machine (the registry needs the network), or `pip install njsscan`, which brings some.',
    };
  const environment = { HOME: host.cacheDir, PATH: '/usr/bin:/bin', SEMGREP_SEND_METRICS: 'off' };
  const version = async () => await outputOf([path, '--version', '--disable-version-check'], environment);
  return {
    name: 'semgrep',
    version: `${versionIn(await version())} with ${rules.label}`,
    // A call costs most of a minute: only for samples that some rule is about.
    fileName: namedByExtension(extensionsOf(rules.texts)),
    caller: {
      name: 'semgrep',
      command: (code) => limited([path, 'scan', '--config', rules.path, ...OPTIONS, code], 32 * GIB),
      environment,
      reportFrom: 'stdout',
      read: readSemgrepReport,
      stillThere: async () => void (await version()),
    },
    // Reading its rules takes most of a minute.
    baseTimeoutMs: 300_000,
  };
};

/** A file that no rule's language fits is not among the scanned ones, and counts as not judged. Throws on what is no report. */
export function readSemgrepReport(report: string, positions: ReadonlyMap<string, number>): AnalyserReport {
  const { results, errors, paths } = reportSchema.parse(JSON.parse(report));
  const found = results
    .filter(({ extra }) => COUNTED_SEVERITIES.has(extra.severity))
    .map(({ check_id, path, start }) => ({
      position: positionOf(positions, basename(path)),
      // "work.rules.crypto.node_md5": the folders of the rules' file stand before the rule.
      rule: check_id.split('.').at(-1) ?? check_id,
      name: '',
      line: start.line,
    }));
  const scanned = new Set(paths.scanned.map((path) => basename(path)));
  const skipped = [...positions].flatMap(([name, position]): [number, string][] =>
    scanned.has(name) ? [] : [[position, 'semgrep has no rule for its language']],
  );
  const failed = errors.flatMap(({ path, level }): [number, string][] =>
    path === undefined || level !== 'error' || !positions.has(basename(path))
      ? []
      : [[positionOf(positions, basename(path)), 'semgrep cannot read it']],
  );
  return { findings: byPosition(found), unread: new Map([...skipped, ...failed]) };
}

/** The languages that the rules are about, with their extensions. Pure; reads the YAML's `languages` lists alone. */
export function extensionsOf(rules: readonly string[]): Record<string, string> {
  const named = new Set(
    rules.flatMap((text) =>
      [...text.matchAll(/\blanguages:\s*(\[[^\]]*\]|(?:\n\s*- *[^\n]+)+)/g)].flatMap(
        ([, list = '']) => list.toLowerCase().match(/[a-z+0-9]+/g) ?? [],
      ),
    ),
  );
  const about = Object.entries(LANGUAGES).filter(([, { names }]) =>
    [...names, ...ANY_LANGUAGE].some((name) => named.has(name)),
  );
  return Object.fromEntries(about.map(([language, { extension }]) => [language, extension]));
}

interface Rules {
  readonly path: string;
  /** Tells one set of rules from another. */
  readonly label: string;
  readonly texts: readonly string[];
}

async function findRules({ environment, pythonPath }: AnalyserHost): Promise<Rules | null> {
  const given = environment['SEMGREP_RULES'];
  if (given !== undefined && given !== '') return await readRules(given, 'rules');
  const folder = await outputOf([
    pythonPath,
    '-I',
    '-c',
    'from importlib.util import find_spec as f; s = f("njsscan"); print(s.submodule_search_locations[0] if s else "-")',
  ]);
  return folder === '-' ? null : await readRules(join(folder, 'rules', 'semantic_grep'), "njsscan's rules");
}

/** Null when there is no such file or folder. */
async function readRules(path: string, label: string): Promise<Rules | null> {
  const info = await stat(path).catch(() => null);
  if (info === null) return null;
  const names = info.isDirectory()
    ? (await readdir(path, { recursive: true })).filter((name) => /\.ya?ml$/.test(name)).sort()
    : [''];
  const texts = await Promise.all(names.map(async (name) => await readFile(join(path, name), 'utf8')));
  const hash = createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 12);
  return { path, label: `${label} ${hash}`, texts };
}
