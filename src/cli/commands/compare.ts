/** `secpi compare A B`: two evaluations of the same tasks side by side, their difference paired by task. */
import { resolve } from 'node:path';
import { readEvaluations } from '../../activities/evaluatedBenchmarks.ts';
import { evaluateSchema } from '../../contract/recipe.ts';
import type { Summary } from '../../contract/summary.ts';
import { buildSummary, renderTable, type ReportedSample } from '../../services/report/index.ts';
import type { Store } from '../../services/store/index.ts';
import { pairUp, readEvaluated, type Evaluated } from '../compare/evaluated.ts';
import { evaluationsOfRun, evaluationsOfSummary, whatIsNamed } from '../compare/resolve.ts';
import { exitCodes } from '../exit.ts';
import { watchInterrupts } from '../interrupt.ts';
import { writeReportFolder } from '../reportFolder.ts';
import { openSession } from '../session.ts';
import { readSettings } from '../settings.ts';
import { openKnownStore } from '../withStore.ts';

export interface CompareOptions {
  readonly label?: string;
  readonly againstLabel?: string;
  readonly out?: string;
  readonly json: boolean;
}

export async function compare(named: readonly [string, string], options: CompareOptions): Promise<number> {
  const startedAt = new Date().toISOString();
  const place = await open(named);
  try {
    const { store } = place;
    const [a, b] = await Promise.all([
      place.find(named[0], { field: 'A', label: options.label }),
      place.find(named[1], { field: 'B', label: options.againstLabel }),
    ]);
    const pair = pairUp(a, b);
    const { summary, samples } = await compareEvaluated(store, pair, startedAt);
    if (options.out !== undefined) await writeReportFolder(resolve(options.out), summary, samples);
    process.stdout.write(
      options.json ? `${JSON.stringify(summary, null, 2)}\n` : `${renderTable(summary)}\n`,
    );
    return exitCodes.ok;
  } finally {
    await place.close();
  }
}

/** One report of both. */
async function compareEvaluated(
  store: Store,
  [a, b]: readonly [Evaluated, Evaluated],
  startedAt: string,
): Promise<{ readonly summary: Summary; readonly samples: readonly ReportedSample[] }> {
  const { samplesPerTask, variants, sampling } = a;
  const settings = evaluateSchema.parse({ samplesPerTask, promptVariants: variants, sampling });
  const { benchmarks, samples } = await readEvaluations(
    store,
    settings,
    { skipped: [], benchmarks: a.benchmarks },
    { skipped: [], benchmarks: b.benchmarks },
  );
  const summary = buildSummary({
    run: {
      workflowId: '',
      runId: '',
      recipe: `${a.label} → ${b.label}`,
      startedAt,
      finishedAt: new Date().toISOString(),
    },
    labels: { base: a.label, tuned: b.label },
    models: {
      base: { model: a.model, sampling: a.sampling },
      tuned: { model: b.model, sampling: b.sampling },
    },
    benchmarks,
    skipped: [],
    trainedCwes: null,
    training: null,
    usage: { classifier: null, teacher: null },
    stages: [],
    counts: {},
    versions: {},
    k: Math.min(a.k, b.k),
  });
  return { summary, samples };
}

interface Place {
  readonly store: Store;
  find(text: string, as: { readonly field: string; readonly label: string | undefined }): Promise<Evaluated>;
  close(): Promise<void>;
}

/** With Temporal only where a run is named: artefacts and summaries need the store alone. */
async function open(named: readonly string[]): Promise<Place> {
  const settings = readSettings(process.env);
  if (!named.some((text) => whatIsNamed(text).kind === 'run')) {
    const store = await openKnownStore(settings);
    return place(store, null, () => Promise.resolve(store.objects.close()));
  }
  const interruption = watchInterrupts(() => undefined);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const session = await openSession({ settings, say, interruption, stack: 'use' });
  return place(session.store, session.cluster.client, async () => {
    await session.close();
    interruption.dispose();
  });
}

type Client = Parameters<typeof evaluationsOfRun>[0];

function place(store: Store, client: Client | null, close: () => Promise<void>): Place {
  return {
    store,
    close,
    find: async (text, { field, label }) =>
      await readEvaluated(store, await urisOf(text, field, client), { label: label ?? shortOf(text), field }),
  };
}

async function urisOf(text: string, field: string, client: Client | null): Promise<string[]> {
  const named = whatIsNamed(text);
  switch (named.kind) {
    case 'artefact':
      return [named.uri];
    case 'summary':
      return await evaluationsOfSummary(named.path, field);
    case 'run':
      // `open` has looked at the same text.
      return client === null ? [] : await evaluationsOfRun(client, named.workflowId, field);
  }
}

/** The last twelve characters of a fingerprint tell two apart. */
function shortOf(text: string): string {
  return text.startsWith('s3://') ? `…${text.replace(/\/$/u, '').slice(-12)}` : text;
}
