/** BaxBench as a benchmark of ours: a user's checkout, a Python for it and a container engine, driven without its traps. */
import { randomBytes } from 'node:crypto';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { SecpiError } from '../../../contract/errors.ts';
import type { EvaluateSettings } from '../../../contract/recipe.ts';
import type { BenchmarkDriver, DriverGrade, DriverRequest } from '../driver.ts';
import { readCatalogue, type BaxbenchTask, type Catalogue } from './catalogue.ts';
import { openCheckout } from './checkout.ts';
import type { Engine } from './engine.ts';
import { findEngine } from './findEngine.ts';
import { TEST_SECONDS } from './harness.ts';
import { DRIVER_LABEL } from './labels.ts';
import { cachedBuilds, reapLabelled, reapStale } from './reap.ts';
import { filesOfReply } from './replyFiles.ts';
import { reapRunFolders } from './runFolder.ts';
import { runSample } from './runSample.ts';
import { gradeOfRefusal, gradeOfRun } from './verdict.ts';

/** Raised by hand when the same run of BaxBench gets another verdict. */
const GRADING_VERSION = '1';

/** An app's container may have 1 GiB, its build more; BaxBench's own attacks hold some hundred MB. */
const SAMPLE_BYTES = 2.5 * 1024 ** 3;
/** BaxBench waits so long for an app in each test. */
const START_SECONDS = 61;
/** Twice BaxBench's limit of a build: it tries again without the cache. */
const BUILD_SECONDS = 1200;

export interface BaxbenchOptions {
  /** Folder of the checkout: `evaluate.baxbench.home` of the recipe, else BAXBENCH_HOME. */
  readonly home: string | undefined;
  /** The worker's: BAXBENCH_PYTHON, DOCKER_HOST, XDG_RUNTIME_DIR, DOCKER_CONFIG and HOME are read. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly settings: EvaluateSettings;
  /** Short, since sockets lie below it; the system's folder for temporary files where not given. */
  readonly workRoot?: string;
  /** Wall time of one sample; where not given, what BaxBench's own limits of its build and tests add up to. */
  readonly sampleWallMs?: number;
}

export interface BaxbenchDriver extends BenchmarkDriver {
  readonly catalogue: Catalogue;
}

/** @throws SecpiError BENCHMARK_UNAVAILABLE with the variable and what to do, before anything is run. */
export async function createBaxbenchDriver(options: BaxbenchOptions): Promise<BaxbenchDriver> {
  const { environment, settings, workRoot = tmpdir() } = options;
  const checkout = await openCheckout(options.home);
  const engine = await findEngine({
    dockerHost: environment['DOCKER_HOST'],
    xdgRuntimeDir: environment['XDG_RUNTIME_DIR'],
  });
  const python = environment['BAXBENCH_PYTHON'];
  const catalogue = await readCatalogue({ checkout, python, settings });
  await reapStale(engine);
  await reapRunFolders(workRoot);
  return new Driver({
    ...options,
    workRoot,
    python: python ?? '',
    catalogue,
    engine,
    cached: await cachedBuilds(engine),
  });
}

interface DriverOptions extends BaxbenchOptions {
  readonly workRoot: string;
  readonly python: string;
  readonly catalogue: Catalogue;
  readonly engine: Engine;
  readonly cached: Set<string>;
}

class Driver implements BaxbenchDriver {
  readonly name = 'baxbench';
  readonly measures = 'functionAndSecurity';
  readonly hasUpstreamFigure = true;
  readonly ungradable: ReadonlyMap<string, string> = new Map();
  readonly catalogue: Catalogue;
  readonly tasks: BenchmarkDriver['tasks'];
  readonly versions: BenchmarkDriver['versions'];
  readonly concurrency: number;
  readonly #options: DriverOptions;
  readonly #byId: ReadonlyMap<string, BaxbenchTask>;
  readonly #id = randomBytes(8).toString('hex');
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #runs = 0;

  constructor(options: DriverOptions) {
    const { catalogue, engine } = options;
    this.#options = options;
    this.catalogue = catalogue;
    this.tasks = catalogue.tasks.map(({ row }) => row);
    this.#byId = new Map(catalogue.tasks.map((task) => [task.row.taskId, task]));
    this.versions = {
      baxbench: catalogue.checkout.commit ?? 'no commit',
      source: catalogue.checkout.sourceSha256.slice(0, 16),
      grading: GRADING_VERSION,
      spec: catalogue.spec,
      python: catalogue.pythonVersion,
      engine: engine.description,
    };
    // A build and an attack each keep more than one core busy, and an app must answer in time.
    this.concurrency = Math.max(
      1,
      Math.min(Math.floor(availableParallelism() / 2), Math.floor((0.8 * totalmem()) / SAMPLE_BYTES)),
    );
  }

  /** BaxBench ships no solutions. */
  async reference(): Promise<null> {
    return await Promise.resolve(null);
  }

  async grade(request: DriverRequest): Promise<DriverGrade> {
    const work = this.#grade(request);
    const settled = work.then(
      () => null,
      () => null,
    );
    this.#underWay.add(settled);
    try {
      return await work;
    } finally {
      this.#underWay.delete(settled);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new SecpiError('SANDBOX_UNAVAILABLE', 'The BaxBench driver is closed.'));
    await Promise.all(this.#underWay);
    await reapLabelled(this.#options.engine, `${DRIVER_LABEL}=${this.#id}`);
  }

  async #grade({ taskId, reply, limits, signal }: DriverRequest): Promise<DriverGrade> {
    const { catalogue, python, engine, cached, workRoot, environment, settings } = this.#options;
    const task = this.#byId.get(taskId);
    if (task === undefined) throw new SecpiError('INTERNAL', `BaxBench has no task ${taskId}.`);
    const { files, reason } = filesOfReply(reply, task);
    if (files === null) return gradeOfRefusal(reason, false, task);
    // One image of a key is kept; while it is being built, others of the key are built without being kept.
    const keepImage = !cached.has(task.buildKey);
    cached.add(task.buildKey);
    let madeImage = false;
    try {
      const outcome = await runSample({
        catalogue,
        task,
        files,
        python,
        engine,
        driverId: this.#id,
        runId: `${this.#id}.${(this.#runs += 1)}`,
        keepImage,
        workRoot,
        childEnv: childEnv(environment),
        wallMs:
          wallMs(task, this.#options.sampleWallMs) * (limits.wallMs / (settings.limits.wallSeconds * 1000)),
        signal: AbortSignal.any([signal, this.#closing.signal]),
      });
      if (!outcome.ran) return gradeOfRefusal(outcome.reason, true, task);
      madeImage = outcome.evidence.containersMade > 0;
      return gradeOfRun(outcome.end, outcome.evidence, task, codeOf(files));
    } finally {
      if (keepImage && !madeImage) cached.delete(task.buildKey);
    }
  }
}

function wallMs(task: BaxbenchTask, given: number | undefined): number {
  const tests = task.functionalTests.length + task.securityTests.length;
  return given ?? (BUILD_SECONDS + tests * (START_SECONDS + TEST_SECONDS)) * 1000;
}

/** What BaxBench needs and nothing else: no key of the worker reaches it. Registries' log-ins are where Docker looks. */
function childEnv(environment: BaxbenchOptions['environment']): Record<string, string> {
  const home = environment['HOME'];
  const config = environment['DOCKER_CONFIG'] ?? (home === undefined ? undefined : join(home, '.docker'));
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    ...(config === undefined ? {} : { DOCKER_CONFIG: config }),
  };
}

function codeOf(files: ReadonlyMap<string, string>): string {
  if (files.size === 1) return [...files.values()].join('');
  return [...files].map(([path, code]) => `=== ${path} ===\n${code}`).join('\n\n');
}
