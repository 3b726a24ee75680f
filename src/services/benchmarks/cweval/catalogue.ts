/** What a checkout holds: its tasks, what it asks models, and which tests it has. Asked of upstream's own code, once. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { publishFolder, type Sandbox, type Toolchain } from '../../sandbox/index.ts';
import { stagePytestHarness } from '../pytestRun/index.ts';
import type { CwevalCheckout } from './checkout.ts';
import { CHECKOUT_INSIDE, pythonShown, toolsToTest, wholeCheckout } from './inside.ts';
import type { CwevalTools } from './tools.ts';
import { runShim, stageShims } from './upstreamRuns.ts';

/** Raise when what is asked, or how, changes. */
const CATALOGUE_VERSION = 1;

const dumpSchema = z.object({
  benchmarkDir: z.string(),
  headers: z.object({ c: z.string(), cpp: z.string() }),
  tasks: z.array(
    z.object({
      /** Relative to the benchmark's folder, e.g. core/py/cwe_020_0_task.py. */
      path: z.string(),
      codePrompt: z.string(),
      prompts: z.object({ none: z.string().min(1), generic: z.string().min(1) }),
    }),
  ),
});

const collectionSchema = z.object({
  files: z.record(
    z.string(),
    z.array(z.object({ id: z.string(), mark: z.enum(['functionality', 'security']) })),
  ),
  /** Why a test file could not be collected, by its path. */
  broken: z.record(z.string(), z.string()),
});

const catalogueSchema = dumpSchema.extend({ collection: collectionSchema });
export type CwevalCatalogue = z.infer<typeof catalogueSchema>;

export interface CatalogueRequest {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  readonly checkout: CwevalCheckout;
  readonly tools: CwevalTools;
}

/** Kept below the toolchain's root, by content of the checkout and the Python that collects. */
export async function readCatalogue(request: CatalogueRequest): Promise<CwevalCatalogue> {
  const { toolchain, checkout, tools } = request;
  const { python } = tools;
  const staged = [await stageShims(toolchain), await stagePytestHarness(toolchain)];
  const identity = [CATALOGUE_VERSION, staged, toolchain.dir, checkout.contentSha256, python];
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  const folder = join(toolchain.root, 'cweval', `catalogue-${key}`);
  const kept = await readKept(join(folder, 'catalogue.json'));
  if (kept !== null) return kept;
  const catalogue = await askUpstream(request);
  // What could not be collected may be mended by an installation that no version tells of.
  if (Object.keys(catalogue.collection.broken).length === 0) {
    await publishFolder(folder, async (draft) => {
      await writeFile(join(draft, 'catalogue.json'), JSON.stringify(catalogue));
    });
  }
  return catalogue;
}

async function askUpstream({
  sandbox,
  toolchain,
  checkout,
  tools,
}: CatalogueRequest): Promise<CwevalCatalogue> {
  const shims = await stageShims(toolchain);
  const python = tools.python?.path ?? toolchain.python;
  const dumped = await runShim({
    sandbox,
    shims,
    python,
    script: 'dump_tasks.py',
    args: [CHECKOUT_INSIDE],
    readOnly: [...wholeCheckout(checkout), ...pythonShown(tools)],
    env: {},
  });
  const dump = dumpSchema.parse(JSON.parse(dumped));
  const { readOnly, env } = toolsToTest(tools);
  const collected = await runShim({
    sandbox,
    shims,
    python,
    script: 'collect_tests.py',
    args: [CHECKOUT_INSIDE, dump.benchmarkDir],
    readOnly: [await stagePytestHarness(toolchain), ...wholeCheckout(checkout), ...readOnly],
    env,
  });
  return { ...dump, collection: collectionSchema.parse(JSON.parse(collected)) };
}

async function readKept(file: string): Promise<CwevalCatalogue | null> {
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return null;
  }
  return catalogueSchema.parse(JSON.parse(text));
}
