/** The user's checkout of CWEval: that it is one, which commit it is at, and what lies in it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, SecpiError } from '../../../contract/errors.ts';

const execute = promisify(execFile);

export interface CwevalCheckout {
  /** Absolute, without links. */
  readonly home: string;
  /** Null for a folder that git does not know. */
  readonly commit: string | null;
  /** Its harness or tasks are not those of the commit. */
  readonly changed: boolean;
  /** SHA-256 over harness, tasks and Go modules: what can change a verdict. */
  readonly contentSha256: string;
  /** "e9a2a12…", "e9a2a12… with changes (1f0c…)", or "files 1f0c…". */
  readonly version: string;
}

export interface CheckoutLocation {
  /** Of the recipe; the environment's CWEVAL_HOME where not given. */
  readonly home: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What every checkout has; the harness is called through these. */
const HARNESS = ['cweval/commons.py', 'cweval/evaluate.py', 'cweval/generate.py', 'cweval/ppt/__init__.py'];
const READ = ['benchmark', 'cweval', 'go.mod', 'go.sum'];
const SETUP =
  'Clone CWEval, set CWEVAL_HOME (or evaluate.cweval.home) to the folder, and run `npx secpi doctor cweval`.';

/** @throws SecpiError BENCHMARK_UNAVAILABLE naming the field, or the variable, that leads nowhere. */
export async function findCheckout({ home, environment }: CheckoutLocation): Promise<CwevalCheckout> {
  const named = home ?? environment['CWEVAL_HOME'];
  if (named === undefined || named === '')
    throw unavailable('there is no checkout of CWEval: CWEVAL_HOME is not set.', 'evaluate.benchmarks');
  const field = home === undefined ? 'CWEVAL_HOME' : 'evaluate.cweval.home';
  let root;
  try {
    root = await realpath(resolve(named));
    for (const file of HARNESS) await readFile(join(root, file));
  } catch (error) {
    throw unavailable(`${named} is no checkout of CWEval: ${messageOf(error)}.`, field, error);
  }
  // Upstream deselects every test whose path says "_unsafe", and takes apart paths that hold these words.
  const odd = /_unsafe|_task\.|_raw\.|_test\./.exec(root);
  if (odd !== null)
    throw unavailable(`${root} holds "${odd[0]}", on which CWEval trips: rename the folder.`, field);
  const files = await listFiles(root);
  if (!files.some((file) => /^benchmark\/.*_task\.\w+$/.test(file)))
    throw unavailable(`${root} has no task below benchmark/.`, field);
  const [contentSha256, commit, changes] = await Promise.all([
    hashFiles(root, files),
    git(root, ['rev-parse', 'HEAD']),
    git(root, ['status', '--porcelain', '--', ...READ]),
  ]);
  const changed = commit !== null && changes !== null && changes !== '';
  const short = contentSha256.slice(0, 12);
  const version = commit === null ? `files ${short}` : changed ? `${commit} with changes (${short})` : commit;
  return { home: root, commit, changed, contentSha256, version };
}

function unavailable(problem: string, field: string, cause?: unknown): SecpiError {
  return new SecpiError('BENCHMARK_UNAVAILABLE', problem, { field, remedy: SETUP, cause });
}

/** Null where git says nothing: no repository, or no git. */
async function git(root: string, args: readonly string[]): Promise<string | null> {
  try {
    // Another user's repository is refused otherwise.
    const { stdout } = await execute('git', ['-c', `safe.directory=${root}`, '-C', root, ...args]);
    const top = await execute('git', [
      '-c',
      `safe.directory=${root}`,
      '-C',
      root,
      'rev-parse',
      '--show-toplevel',
    ]);
    return (await realpath(top.stdout.trim())) === root ? stdout.trim() : null;
  } catch {
    return null;
  }
}

async function listFiles(root: string): Promise<string[]> {
  const files: string[] = [];
  for (const name of READ) {
    if (name.startsWith('go.')) files.push(name);
    else
      for (const entry of await readdir(join(root, name), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) files.push(relative(root, join(entry.parentPath, entry.name)));
  }
  return files.filter((file) => !/(?:^|\/)(?:__pycache__|compiled)\//.test(file)).sort();
}

/** Path and content of each file; one that is not there (go.sum) counts as absent. */
async function hashFiles(root: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const contents = await Promise.all(files.map(async (file) => await readOrNull(join(root, file))));
  for (const [index, content] of contents.entries()) {
    if (content === null) continue;
    hash.update(`${files[index]}\0${createHash('sha256').update(content).digest('hex')}\n`);
  }
  return hash.digest('hex');
}

async function readOrNull(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
